import Postgres
import Synchronization
import Telemetry

/// The pools of a process, for what is said of them before each rendering of its metrics.
final class WatchedPools: Sendable {
    private struct Weak: Sendable {
        weak var pool: PostgresPool?
    }

    private let pools = Mutex<[Weak]>([])

    func watch(_ pool: PostgresPool) { pools.withLock { $0.append(Weak(pool: pool)) } }

    func read() {
        let uses = pools.withLock { $0.compactMap(\.pool) }.map { ($0.configuration.poolName, $0.use) }
        Measure.replace(
            .poolConnections,
            uses.flatMap { name, use in
                [("leased", use.leased), ("idle", use.idle), ("opening", use.opening)].map { state, number in
                    (labels: [("pool", name), ("state", state)], value: Double(number))
                }
            })
        Measure.replace(.poolWaiting, uses.map { (labels: [("pool", $0.0)], value: Double($0.1.waiting)) })
    }
}
