import Foundation
import Jobs
import Postgres
import PostgresTesting
import Testing

@Suite struct FairShareTests {
    let start = Date(timeIntervalSince1970: 1_000_000)

    private func queue(
        _ account: String, due: Int, since seconds: Double = 0, priority: TaskPriority = .standard, kind: JobKind = .import
    ) -> FairShare.Queue {
        .init(kind: kind, priority: priority, account: account, due: due, oldest: start.addingTimeInterval(seconds))
    }

    @Test func aThousandJobsOfOneCustomerLeaveAnotherItsSlot() {
        let queues = [queue("a", due: 1000), queue("b", due: 1, since: 60)]
        #expect(FairShare.shares(of: 4, among: queues, running: [:]) == [3, 1])
        #expect(FairShare.shares(of: 1, among: queues, running: ["a": 3]) == [0, 1])
        #expect(FairShare.shares(of: 1, among: queues, running: ["a": 3, "b": 3]) == [1, 0], "equals: who waits longest")
    }

    @Test func slotsGoWhereFewestAreAtWorkAndNoneStayFree() {
        let queues = [queue("a", due: 10), queue("b", due: 2), queue("c", due: 10, since: 1)]
        #expect(FairShare.shares(of: 9, among: queues, running: ["a": 4]) == [2, 2, 5])
        #expect(FairShare.shares(of: 100, among: queues, running: ["a": 4]) == [10, 2, 10])
        #expect(FairShare.shares(of: 0, among: queues, running: [:]) == [0, 0, 0])
    }

    @Test func urgentTasksGoFirstWhoeverTheyAreOf() {
        let queues = [
            queue("a", due: 9), queue("b", due: 9, priority: TaskPriority(rawValue: 1)), queue("c", due: 1, priority: .ending),
        ]
        #expect(FairShare.shares(of: 4, among: queues, running: ["b": 50, "c": 50]) == [0, 3, 1])
    }

    @Test(arguments: [(1, 0), (2, 1), (3, 2)]) func anAccountsLimitHoldsUpAllButWhatEndsAJob(limit: Int, expected: Int) {
        let queues = [queue("a", due: 5), queue("a", due: 5, priority: .ending)]
        #expect(FairShare.shares(of: 6, among: queues, running: [:], accountTasksMax: limit)[1] == 5)
        #expect(FairShare.shares(of: 6, among: [queue("a", due: 5)], running: ["a": 1], accountTasksMax: limit) == [expected])
        let kinds = [queue("a", due: 5), queue("a", due: 5, kind: .train)]
        #expect(FairShare.shares(of: 6, among: kinds, running: [:], accountTasksMax: limit).reduce(0, +) == limit)
    }
}

/// The statements of a claim carry out what `FairShare` says.
@Suite(.enabled(if: TestDatabase.isAvailable)) struct FairClaimTests {
    private func account(_ number: Int) -> String { String(repeating: "0", count: 9) + String(number + 100).suffix(3) }

    private func fill(_ world: TestWorld, _ counts: [Int]) async throws {
        for (number, count) in counts.enumerated() {
            let jobs = try (0..<count).map { _ in try world.submission(account: account(number)) }
            try await world.engine.accept(jobs)
        }
    }

    /// What is ready and at work, by the number of the account.
    private struct Ledger {
        var ready: [Int]
        var running: [Int]

        mutating func take(_ number: Int, tasks: Int) {
            ready[number] -= tasks
            running[number] += tasks
        }

        /// How many tasks the model takes.
        func modelled(slots: Int, account: (Int) -> String) -> Int {
            let queues = ready.indices.map {
                FairShare.Queue(
                    kind: .import, priority: .standard, account: account($0), due: min(ready[$0], slots),
                    oldest: Date(timeIntervalSince1970: Double($0)))
            }
            let atWork = Dictionary(uniqueKeysWithValues: running.indices.map { (account($0), running[$0]) })
            return FairShare.shares(of: slots, among: queues, running: atWork).reduce(0, +)
        }

        /// Who of equals is first depends on times; that the counts come out level, for those with work left, does not.
        var isLevel: Bool {
            let most = running.max() ?? 0
            return ready.indices.allSatisfy { ready[$0] == 0 || running[$0] >= most - 1 }
        }
    }

    @Test(arguments: [UInt64](1...4)) func claimsAreWhatTheModelSays(seed: UInt64) async throws {
        var random = SeededGenerator(seed: seed)
        let ready = (0..<6).map { _ in Int.random(in: 0...9, using: &random) }
        let slots = (0..<6).map { _ in Int.random(in: 1...7, using: &random) }
        try await TestWorld.with { world in
            try await fill(world, ready)
            try await follow(world, Ledger(ready: ready, running: ready.map { _ in 0 }), slots, seed)
        }
    }

    private func follow(_ world: TestWorld, _ begun: Ledger, _ slots: [Int], _ seed: UInt64) async throws {
        var ledger = begun
        for free in slots {
            let expected = ledger.modelled(slots: free, account: account)
            let claimed = try await world.store.claim([(.import, 1)], limit: free, worker: "w")
            #expect(claimed.count == expected, "seed \(seed)")
            for task in claimed {
                guard let number = ledger.ready.indices.first(where: { account($0) == task.job.account }) else { continue }
                ledger.take(number, tasks: 1)
            }
            let isLevel = ledger.isLevel
            #expect(isLevel, "seed \(seed): \(ledger)")
        }
    }

    @Test func oneJobIsNotStarvedByAThousand() async throws {
        try await TestWorld.with { world in
            try await fill(world, [1000])
            #expect(try await world.store.claim([(.import, 1)], limit: 3, worker: "w").count == 3)
            let lone = try await world.accept(account: account(7))
            let next = try await world.store.claim([(.import, 1)], limit: 1, worker: "w")
            #expect(next.map(\.job.id) == [lone])
        }
    }

    @Test func everyOfManyAccountsHasItsTurn() async throws {
        let accounts = JobStore.accountsMax * 3 + 5
        try await TestWorld.with { world in
            try await fill(world, [Int](repeating: 2, count: accounts))
            var cursor = ClaimCursor()
            var seen: Set<String> = []
            for _ in 0..<4 {
                let claimed = try await world.store.claim(
                    [(.import, 1)], limit: JobStore.accountsMax, worker: "w", cursor: &cursor)
                #expect(claimed.count == JobStore.accountsMax)
                seen.formUnion(claimed.map(\.job.account))
            }
            #expect(seen.count == accounts, "nobody is looked at twice before all others were once")
        }
    }

    @Test func anAccountsLimitHoldsWhoeverClaims() async throws {
        try await TestWorld.with({ $0.accountTasksMax = 3 }) { world in
            try await fill(world, [20, 1])
            let claimed = try await withThrowingTaskGroup(of: [ClaimedTask].self) { group in
                for number in 0..<8 {
                    group.addTask { try await world.store.claim([(.import, 1)], limit: 4, worker: "w\(number)") }
                }
                return try await group.reduce(into: []) { $0 += $1 }
            }
            // A claim that met another one at the account passed it over: a last one takes what is left.
            let rest = try await world.store.claim([(.import, 1)], limit: 100, worker: "last")
            let all = claimed + rest
            #expect(all.filter { $0.job.account == account(0) }.count == 3)
            #expect(all.filter { $0.job.account == account(1) }.count == 1)
            try await world.expireLeases()
            #expect(try await world.store.claim([(.import, 1)], limit: 100, worker: "heir").count == 4, "taken over, not added")
        }
    }

    @Test func anOperatorsPriorityGoesBeforeTheQueue() async throws {
        try await TestWorld.with { world in
            try await fill(world, [20])
            let late = try await world.accept(account: account(0))
            #expect(try await world.engine.setPriority(TaskPriority(rawValue: 1), of: late))
            #expect(try await world.store.claim([(.import, 1)], limit: 1, worker: "w").map(\.job.id) == [late])
            await #expect(throws: JobError.self) { try await world.engine.setPriority(.ending, of: late) }
            try await world.engine.stop(late)
            try await world.running([try world.worker(ScriptedHandler(world))]) { try await world.ended(late) }
            #expect(try await world.engine.setPriority(.standard, of: late) == false)
        }
    }

    @Test func deadWorkersTasksGoBeforeAQueueThatNeverEnds() async throws {
        try await TestWorld.with { world in
            try await fill(world, [30])
            let lost = try #require(await world.store.claim([(.import, 1)], limit: 1, worker: "dead").first)
            try await world.expireLeases()
            #expect(try await world.store.claim([(.import, 1)], limit: 1, worker: "heir").map(\.id) == [lost.id])
        }
    }
}
