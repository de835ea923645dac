import AWSProtocol
import AuditTrail
import Foundation
import Logging
import Postgres

/// What `forecastle doctor` tells of the audit trail.
struct AuditState {
    var lines: [(String, String)] = []
    var problems: [String] = []

    /// Reads heads alone: no walk, however long the trail.
    static func read(_ values: ConfigurationValues) async -> AuditState {
        var state = AuditState()
        guard
            let configuration = try? values.postgres(
                values.connectionKey(.authority, for: .reader), applicationName: "forecastle doctor")
        else {
            state.lines.append(("records", "unknown: authority.postgres is not set"))
            return state
        }
        let pool = PostgresPool(
            configuration: configuration, logger: Logger(label: "doctor") { _ in SwiftLogNoOpLogHandler() })
        defer { pool.close() }
        do {
            let heads = try await AuditTrail.heads(pool: pool)
            state.lines.append(("records", "\(heads.reduce(0) { $0 + $1.sequence }) in \(Amount.count(heads.count, "shard"))"))
            let hasChecksums = try await AuditTrail.hasPageChecksums(pool: pool)
            state.lines.append(
                (
                    "damaged pages",
                    hasChecksums ? "found by the server's checksums" : "not found by the server: it has no page checksums"
                ))
            try await state.compare(values, pool)
        } catch let error as PostgresError {
            // Told with the databases.
            state.lines.append(("records", "unknown: \(error)"))
        } catch {
            state.problems.append("audit.heads_directory: \(error)")
        }
        return state
    }

    private mutating func compare(_ values: ConfigurationValues, _ pool: PostgresPool) async throws {
        let directory = values.string("audit.heads_directory")
        guard !directory.isEmpty else {
            lines.append(("exported heads", "none: audit.heads_directory is not set"))
            problems.append(
                "audit.heads_directory is not set: a removed shard, a cut-off end or an old backup will not be noticed")
            return
        }
        let keys = values.list("audit.verifying_key_files")
        guard !keys.isEmpty else {
            problems.append("audit.verifying_key_files is not set: exported heads cannot be checked")
            return
        }
        let evidence = try await HeadsReader.read(
            directory: directory, verifier: try KeyFiles.headVerifier(at: keys), newestOnly: true)
        guard let last = evidence.lastTime else {
            lines.append(("exported heads", "none yet"))
            return
        }
        let age = Amount.time(Date().timeIntervalSince(last))
        lines.append(("exported heads", "the last at \(AWSTimestamp.extended(last)), \(age) ago"))
        let missing = try await AuditTrail.missing(of: evidence.newest, pool: pool)
        if !missing.isEmpty {
            problems.append(
                "audit trail: the database lacks \(Amount.count(missing.count, "head")) that were exported; "
                    + "run forecastle audit verify")
        }
        if !evidence.findings.isEmpty {
            problems.append("audit.heads_directory: files were altered; run forecastle audit verify")
        }
    }
}
