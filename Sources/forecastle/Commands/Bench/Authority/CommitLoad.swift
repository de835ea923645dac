import Foundation
import Glibc
import Logging
import Postgres

/// What the database could do at most with one durable commit a request: rows as large as a record.
struct CommitLoad: Sendable {
    private let pool: PostgresPool
    private let database: pid_t?
    private static let rowBytes = 1200

    static func prepare(connection: String, connections: Int, database: pid_t?) async throws -> CommitLoad {
        var configuration = PostgresConfiguration(connection: connection, applicationName: "forecastle bench")
        configuration.maximumConnections = connections
        let pool = PostgresPool(configuration: configuration, logger: Logger(label: "forecastle.bench"))
        try await pool.execute("CREATE TABLE bench_commits (id bigint GENERATED ALWAYS AS IDENTITY, record bytea NOT NULL)")
        return CommitLoad(pool: pool, database: database)
    }

    func close() { pool.close() }

    func benchCase(connections: Int, seconds: Double) -> BenchCase {
        BenchCase(
            name: "commit.postgres.\(connections)", title: "commit, PostgreSQL alone, \(Amount.count(connections, "session"))"
        ) {
            let window = ProcessTimeWindow(process: getpid(), database: database)
            window.mark(isStart: true)
            let start = ContinuousClock.now
            let stop = start + .seconds(seconds)
            let latencies = try await withThrowingTaskGroup(of: [Double].self) { group in
                for _ in 0..<connections {
                    group.addTask {
                        let row = [UInt8](repeating: 0x2E, count: Self.rowBytes)
                        var latencies: [Double] = []
                        while ContinuousClock.now < stop {
                            let sent = ContinuousClock.now
                            try await pool.execute("INSERT INTO bench_commits (record) VALUES (\(row))")
                            latencies.append(sent.duration(to: .now) / .seconds(1))
                        }
                        return latencies
                    }
                }
                return try await group.reduce(into: [Double]()) { $0 += $1 }
            }
            window.mark(isStart: false)
            let outcome = LoadGenerator.Outcome(
                wallSeconds: start.duration(to: .now) / .seconds(1), latencies: latencies.sorted())
            return BenchSample(
                wallSeconds: outcome.wallSeconds, cpuSeconds: window.seconds, bytes: 0,
                requests: outcome.figures(databaseCPUSeconds: window.databaseSeconds))
        }
    }
}
