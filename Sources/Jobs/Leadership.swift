import FoundationEssentials
import Postgres
import Synchronization

/// One leader's time in office, as the leader knows it.
///
/// The row in PostgreSQL is the authority. The leader's own belief is a trust window, which ends before the row's `until`
/// does; what a paused leader still sends carries the number of its term and changes nothing once there is a newer one.
package struct LeadershipTerm: Sendable, Hashable {
    /// Only goes up, whoever is elected.
    package let number: Int64
    let trust: TrustWindow

    func holds(at now: ContinuousClock.Instant) -> Bool { trust.holds(at: now) }
}

/// Keeps one process at a time in office.
///
/// ```
///          elected (nobody is, or the term ran out: number + 1)
/// follower ───────────────────────────────────────────────────► leader ⟲ renewed (same number)
///     ▲                                                           │
///     └────────── resigned, or not renewed before the trust ended ┘
/// ```
final class Leadership: Sendable {
    private let name: String
    private let leader: String
    private let store: JobStore
    private let held = Mutex<LeadershipTerm?>(nil)

    /// - Parameter leader: unique among all processes, ever: who has this name renews its term.
    init(_ name: String, leader: String, store: JobStore) {
        self.name = name
        self.leader = leader
        self.store = store
    }

    /// The term, while it can be trusted.
    var term: LeadershipTerm? { held.withLock { $0.flatMap { $0.holds(at: .now) ? $0 : nil } } }

    /// Stands for election, or renews its own term; repeating it after a lost answer is harmless.
    ///
    /// - Returns: nil while another leads.
    @discardableResult
    func campaign() async throws -> LeadershipTerm? {
        let sent = ContinuousClock.now
        let life = store.configuration.lease
        let rows = try await store.pool.query(
            """
            INSERT INTO leadership AS l (name, leader, term, elected_at, until)
            VALUES (\(name), \(leader), 1, now(), now() + \(life))
            ON CONFLICT (name) DO UPDATE SET
                term = CASE WHEN l.leader = excluded.leader AND l.until > now() THEN l.term ELSE l.term + 1 END,
                elected_at = CASE WHEN l.leader = excluded.leader AND l.until > now() THEN l.elected_at ELSE now() END,
                leader = excluded.leader, until = excluded.until
            WHERE l.leader = excluded.leader OR l.until <= now()
            RETURNING l.term
            """)
        let term = try rows.first.map {
            LeadershipTerm(
                number: try $0.get("term"),
                trust: TrustWindow(from: sent, lease: life, margin: store.configuration.trustMargin))
        }
        held.withLock { $0 = term }
        return term
    }

    /// Lets another be elected at once.
    func resign() async throws {
        guard
            let term = held.withLock({ term in
                defer { term = nil }
                return term
            })
        else { return }
        try await store.pool.execute(
            """
            UPDATE leadership SET until = now()
            WHERE name = \(name) AND leader = \(leader) AND term = \(term.number) AND until > now()
            """)
    }

    static let sweeper = "sweeper"
}

extension PostgresQuery.StringInterpolation {
    /// A condition of every write of a sweep: its term is still the newest. An old leader's writes change nothing.
    mutating func appendInterpolation(holds term: LeadershipTerm) {
        appendLiteral("EXISTS (SELECT FROM leadership WHERE name = 'sweeper' AND term = ")
        appendInterpolation(term.number)
        appendLiteral(" AND until > now())")
    }

    /// The same for a statement that workers share with the sweeper: they have no term, and need none.
    mutating func appendInterpolation(holds term: LeadershipTerm?) {
        if let term { appendInterpolation(holds: term) } else { appendLiteral("true") }
    }
}
