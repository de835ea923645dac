import FoundationEssentials
package import Logging
package import Postgres
import ServiceLifecycle
import Telemetry

/// Exports the signed heads of all shards to files outside the database: at most `interval` after a record, or with the
/// thousandth one before.
///
/// Several authority processes may use one directory; each writes files of its own and all shards of the database. A pass
/// that finds nothing new writes nothing, except for a sign of life every `idleInterval`.
package actor HeadsExporter: Service {
    package static let idleInterval: Duration = .seconds(30)

    private let pool: PostgresPool
    private let pace: ExportPace
    private let directory: String
    private let signer: HeadSigner
    private let interval: Duration
    private let logger: Logger
    private var writer: HeadsWriter
    private var book = HeadBook()
    private var lastWrite: ContinuousClock.Instant?
    private var failures = 0

    package init(
        pool: PostgresPool, pace: ExportPace, directory: String, signer: HeadSigner, interval: Duration, logger: Logger
    ) {
        self.pool = pool
        self.pace = pace
        self.directory = directory
        self.signer = signer
        self.interval = interval
        self.logger = logger
        writer = HeadsWriter(directory: directory, signer: signer)
        for name in [MetricName.auditHeadFailures, .auditHeadsLost] { Measure.count(name, by: 0) }
    }

    /// Once more after everybody else has stopped: put it right behind the pool in a group of services.
    package func run() async throws {
        await withGracefulShutdownHandler {
            await withTaskGroup(of: Void.self) { group in
                group.addTask { [interval, pace] in
                    repeat { pace.tick() } while (try? await Task.sleep(for: interval)) != nil
                }
                for await _ in pace.wakes { await pass() }
                group.cancelAll()
            }
        } onGracefulShutdown: { [pace] in
            pace.finish()
        }
        if !Task.isCancelled { await pass() }
    }

    /// One pass; its failure is logged and counted, and the next pass tries again.
    package func pass() async {
        let start = ContinuousClock.now
        pace.begins()
        do {
            try await export(at: start)
            pace.passed(from: start)
            if failures > 0 {
                logger.notice("heads of the audit trail are exported again", metadata: ["failures": "\(failures)"])
            }
            failures = 0
        } catch {
            failures += 1
            Measure.count(.auditHeadFailures)
            // The first, and then one a minute or so: the bound's refusals are in the log of their own.
            if failures == 1 || failures.isMultiple(of: 60) {
                logger.error(
                    "heads of the audit trail cannot be exported",
                    metadata: ["error": "\(error)", "failures": "\(failures)"])
            }
        }
    }

    private func export(at start: ContinuousClock.Instant) async throws {
        // Before the heads are read: a record's time is no later than that of the heads that cover it.
        let time = Date()
        let heads = try await AuditTrail.heads(pool: pool)
        let look = book.look(at: heads)
        report(look.lost)
        let isIdle = lastWrite.map { start - $0 < Self.idleInterval } ?? false
        if look.changed.isEmpty, isIdle { return }
        var next = book
        next.took(look.changed)
        let (all, writer) = (next.all, writer)
        do {
            try await HeadsQueue.run {
                try writer.write(nil, changed: look.changed, all: all, shards: heads.count, time: time, start: start)
            }
        } catch {
            // What that file holds is not known; the next begins with all heads anew.
            self.writer = HeadsWriter(directory: directory, signer: signer)
            lastWrite = nil
            throw error
        }
        // Not before: what was not exported is for the next pass.
        book = next
        lastWrite = start
        Measure.observe(.auditHeadExportSeconds, [], ContinuousClock.now - start)
    }

    private func report(_ lost: [AuditHead]) {
        guard !lost.isEmpty else { return }
        Measure.count(.auditHeadsLost, by: lost.count)
        for head in lost {
            logger.critical(
                "the audit trail has lost records that were exported; run forecastle audit verify",
                metadata: ["shard": "\(head.shard.uuidString.lowercased())", "sequence": "\(head.sequence)"])
        }
    }

    /// Tells of heads that were exported before this process began and are not in the database, and of altered files. Does
    /// not hinder the start: whether an older database may be served is decided by the vault.
    package func compare(with evidence: HeadsEvidence) async {
        for finding in evidence.findings {
            logger.critical(
                "exported heads were altered; run forecastle audit verify", metadata: ["at": "\(finding.description)"])
        }
        do {
            report(try await AuditTrail.missing(of: evidence.newest, pool: pool))
        } catch {
            logger.error("exported heads could not be compared with the database", metadata: ["error": "\(error)"])
        }
    }

    /// Makes the database's state of now the one that verification goes by, after an operator has put an older database in
    /// place on purpose. The loss stays visible: verification tells what was exported and is gone.
    package static func accept(pool: PostgresPool, directory: String, signer: HeadSigner) async throws -> Int {
        let time = Date()
        let heads = try await AuditTrail.heads(pool: pool)
        let writer = HeadsWriter(directory: directory, signer: signer)
        try await HeadsQueue.run {
            try writer.write(.accepted, changed: heads, all: heads, shards: heads.count, time: time)
        }
        return heads.count
    }
}
