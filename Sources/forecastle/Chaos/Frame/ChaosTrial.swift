import FaultInjection
import Foundation
import Postgres
import Synchronization
import Verification

/// What of a case did not come as expected.
struct ChaosFailure: Error, CustomStringConvertible {
    var description: String
}

/// The case cannot be run here after all.
struct ChaosSkip: Error, CustomStringConvertible {
    var description: String
}

/// One run of one case: its cluster, its load, its chance, and what it notes down.
final class ChaosTrial: Sendable {
    private struct Notes {
        var chance: SeededChance
        var injected: [String] = []
        var seen: [String] = []
    }

    static let waitLimit: Duration = .seconds(150)

    let cluster: ChaosCluster
    let load: ChaosLoad
    private let notes: Mutex<Notes>

    init(seed: UInt64, cluster: ChaosCluster, load: ChaosLoad) {
        self.cluster = cluster
        self.load = load
        notes = Mutex(Notes(chance: SeededChance(seed)))
    }

    var injected: [String] { notes.withLock { $0.injected } }
    var seen: [String] { notes.withLock { $0.seen } }

    func random(_ range: ClosedRange<Int>) -> Int { notes.withLock { Int.random(in: range, using: &$0.chance) } }
    func random(milliseconds range: ClosedRange<Int>) -> Duration { .milliseconds(random(range)) }
    func shuffled<T: Sendable>(_ values: [T]) -> [T] { notes.withLock { values.shuffled(using: &$0.chance) } }

    /// Said when a fault has happened: a case that says nothing of it has not passed.
    func injected(_ text: String) { notes.withLock { $0.injected.append(text) } }
    func saw(_ text: String) { notes.withLock { $0.seen.append(text) } }

    func expect(_ holds: Bool, _ text: @autoclosure () -> String) throws {
        if !holds { throw ChaosFailure(description: text()) }
    }

    /// Asks again and again until there is an answer. What PostgreSQL or the API do not answer meanwhile is part of the case.
    @discardableResult
    func wait<T>(
        for what: String, limit: Duration = ChaosTrial.waitLimit, every pause: Duration = .milliseconds(50),
        _ probe: () async throws -> T?
    ) async throws -> T {
        let deadline = ContinuousClock.now + limit
        var last = ""
        while true {
            do {
                if let answer = try await probe() { return answer }
            } catch let error as PostgresError {
                last = "; last error: \(error)"
            }
            guard ContinuousClock.now < deadline else { throw ChaosFailure(description: "waited \(limit) for \(what)\(last)") }
            try await Task.sleep(for: pause)
        }
    }

    func wait(
        until what: String, limit: Duration = ChaosTrial.waitLimit, every pause: Duration = .milliseconds(50),
        _ probe: () async throws -> Bool
    ) async throws {
        try await wait(for: what, limit: limit, every: pause) { try await probe() ? () : nil }
    }

    /// Everything that was accepted has ended, and well.
    func waitForSuccess(limit: Duration = ChaosTrial.waitLimit) async throws {
        try await waitForEnd(limit: limit)
        let arns = load.accepted.map(\.arn)
        let rows = try await cluster.jobs.query(
            """
            SELECT resource, state, message FROM \(raw: Self.jobsAndHistory) j
            WHERE resource = ANY(\(arns)) AND state <> 'succeeded'
            """)
        let known = try await cluster.count(
            "SELECT count(*) AS n FROM \(raw: Self.jobsAndHistory) j WHERE resource = ANY(\(arns))")
        try expect(known >= arns.count, "\(arns.count - known) accepted jobs are in no table")
        for row in rows {
            throw ChaosFailure(
                description: "\(try row.get("resource", as: String.self)) is \(try row.get("state", as: String.self)): "
                    + "\(try row.get("message", as: String?.self) ?? "")")
        }
        try expect(!arns.isEmpty, "no job was accepted")
        saw("\(arns.count) jobs succeeded")
    }

    func waitForEnd(limit: Duration = ChaosTrial.waitLimit) async throws {
        let arns = load.accepted.map(\.arn)
        // A job that is in no table ends the wait: what is lost does not come back.
        try await wait(until: "all \(arns.count) accepted jobs to end", limit: limit, every: .milliseconds(200)) {
            try await cluster.count("SELECT count(*) AS n FROM job WHERE resource = ANY(\(arns)) AND finished_at IS NULL") == 0
        }
    }

    /// A CreateGrant that was on its way when its worker was taken for dead may be carried out behind the job's end. The sweeper
    /// finds it by its Name once a minute: waits for that, not longer, and leaves the verdict to `verify`.
    func settle() async {
        guard cluster.isOwn else { return }
        let began = ContinuousClock.now
        while began.duration(to: .now) < .seconds(90) {
            guard let open = try? await cluster.openJobs(), open == 0,
                let grants = try? await cluster.authority.query("SELECT count(*) AS n FROM key_grants WHERE name LIKE 'job/%'")
                    .first?.get("n", as: Int.self), grants > 0
            else { break }
            try? await Task.sleep(for: .milliseconds(200))
        }
        let waited = began.duration(to: .now)
        if waited > .seconds(1) {
            saw("a grant that was made behind its job's end was looked for by its Name for \(waited.rounded)")
        }
    }

    /// Ended jobs move to the history after a while.
    private static let jobsAndHistory = """
        (SELECT resource, state, message FROM job UNION ALL SELECT resource, state, message FROM job_history)
        """
}

extension ChaosTrial {
    func succeeded() async throws -> Int {
        try await cluster.count("SELECT count(*) AS n FROM job WHERE state = 'succeeded'")
    }
}
