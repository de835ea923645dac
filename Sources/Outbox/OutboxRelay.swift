import FoundationEssentials
package import Logging
package import Postgres
import ServiceLifecycle
import Synchronization
import Telemetry

/// Publishes what stands in the outbox: claims rows under a short lease, publishes them, removes what was acknowledged.
/// Several relays share the work. One that dies in the middle leaves rows that others take when the lease has ended, so a
/// message may be published twice, never lost.
package final class OutboxRelay: Service, Sendable {
    package struct Configuration: Sendable {
        /// Rows of one claim.
        package var batchRows = 200
        /// After this long another relay may take over.
        package var lease = Duration.seconds(30)
        /// Publishing of one batch ends here at the latest; well before the lease.
        package var publishing = Duration.seconds(15)
        /// How often it looks without being woken: for rows of processes that died, for Kafka to be back, and whether the
        /// outbox is full.
        package var sweep = Duration.seconds(1)
        /// From so many rows on `isFull` says that no more should be accepted.
        package var rowsWhenFull = 100_000

        package init() {}

        /// Throws `.configuration` naming the setting.
        package func validate() throws(OutboxError) {
            guard (1...10_000).contains(batchRows) else { throw OutboxError(.configuration, "batchRows is not 1 to 10000") }
            guard publishing * 3 / 2 <= lease else {
                throw OutboxError(.configuration, "publishing is longer than two thirds of lease")
            }
            guard sweep >= .milliseconds(10) else { throw OutboxError(.configuration, "sweep is below 10 ms") }
            guard rowsWhenFull > 0 else { throw OutboxError(.configuration, "rowsWhenFull is not positive") }
        }
    }

    let configuration: Configuration
    let rows: OutboxRows
    let publisher: any MessagePublisher
    let logger: Logger
    private let wakes = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    private let full = Atomic<Bool>(false)

    /// Throws `OutboxError.configuration`.
    package init(
        pool: PostgresPool, publisher: any MessagePublisher, configuration: Configuration = Configuration(), logger: Logger
    ) throws(OutboxError) {
        try configuration.validate()
        self.configuration = configuration
        self.rows = OutboxRows(pool: pool)
        self.publisher = publisher
        self.logger = logger
        Measure.count(.outboxPublished, by: 0)
        for outcome in ["released", "parked"] { Measure.count(.outboxFailures, [("outcome", outcome)], by: 0) }
    }

    /// There is something to publish: to be called after the commit. Never waits, and many calls make one round.
    package func wake() { wakes.continuation.yield() }

    /// Whether the outbox holds its bound of rows or more, as of the last look: then accept no more work (503).
    package var isFull: Bool { full.load(ordering: .relaxed) }

    /// Serves until graceful shutdown, finishing the batch at hand, or until cancelled.
    package func run() async throws {
        await withGracefulShutdownHandler {
            await withTaskGroup(of: Void.self) { group in
                group.addTask { [configuration, wakes] in
                    // Apart from the publishing, which waits for Kafka: what waits for its turn takes room as well.
                    repeat {
                        await self.look()
                        wakes.continuation.yield()
                    } while (try? await Task.sleep(for: configuration.sweep)) != nil
                }
                await relay()
                group.cancelAll()
            }
        } onGracefulShutdown: {
            self.wakes.continuation.finish()
        }
    }

    private func relay() async {
        var pacing = RelayPacing()
        for await _ in wakes.stream where pacing.mayTry(at: .now) {
            do {
                let arrived = try await drain()
                if arrived { pacing.succeeded() } else { pacing.failed(at: .now, fraction: .random(in: 0..<1)) }
            } catch {
                if Task.isCancelled { return }
                pacing.failed(at: .now, fraction: .random(in: 0..<1))
                logger.warning("outbox cannot be read", metadata: ["error": "\(error)"])
            }
        }
    }

    /// Publishes batch after batch until none is left; returns false when Kafka refused some.
    private func drain() async throws -> Bool {
        while true {
            let token = UUID()
            let batch = try await rows.claim(limit: configuration.batchRows, lease: configuration.lease, token: token)
            let arrived = batch.isEmpty ? true : try await publish(batch, token: token)
            if batch.count < configuration.batchRows || !arrived { return arrived }
            try Task.checkCancellation()
        }
    }

    /// Counts the rows, those that are claimed or wait for their next try among them. Where they cannot be counted, what was
    /// known stays known: nothing is accepted without the database anyway.
    package func look() async {
        let limit = configuration.rowsWhenFull
        do {
            full.store(try await rows.count(upTo: limit) >= limit, ordering: .relaxed)
        } catch {
            if Task.isCancelled { return }
            logger.warning("outbox cannot be counted", metadata: ["error": "\(error)"])
        }
    }
}
