import AuditTrail
import Testing

private struct Refused: Error {}

/// A store that holds every write until it is told to go on.
private actor Store {
    private(set) var writes: [[Int]] = []
    private var gate: CheckedContinuation<Void, Never>?
    private var isOpen: Bool
    private var entered: CheckedContinuation<Void, Never>?

    init(isOpen: Bool) { self.isOpen = isOpen }

    func write(_ items: [Int]) async throws {
        if !isOpen {
            await withCheckedContinuation { continuation in
                gate = continuation
                entered?.resume()
                entered = nil
            }
        }
        if items.contains(-1) { throw Refused() }
        writes.append(items)
    }

    /// Returns once a write waits at the gate.
    func firstWriteUnderWay() async {
        if gate != nil { return }
        await withCheckedContinuation { entered = $0 }
    }

    func open() {
        isOpen = true
        gate?.resume()
        gate = nil
    }
}

@Suite struct GroupCommitTests {
    private func group(_ store: Store, batch: Int = 100, waiting: Int = 1000) -> GroupCommit<Int> {
        GroupCommit(maximumBatch: batch, maximumWaiting: waiting, isFaultOfItem: { $0 is Refused }) {
            try await store.write($0)
        }
    }

    @Test func aCallerIsAnsweredAfterItsOwnRecordsAreWritten() async throws {
        let store = Store(isOpen: true)
        try await group(store).commit([1, 2])
        #expect(await store.writes == [[1, 2]])
    }

    @Test func callersThatWaitTogetherShareAWrite() async throws {
        let store = Store(isOpen: false)
        let group = group(store)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.commit([0]) }
            await store.firstWriteUnderWay()
            for number in 1...9 { tasks.addTask { try await group.commit([number]) } }
            while await group.waitingCallers < 9 { await Task.yield() }
            await store.open()
            try await tasks.waitForAll()
        }
        let writes = await store.writes
        #expect(writes.count == 2)
        #expect(Set(writes[1]) == Set(1...9))
    }

    @Test func aBatchHasItsBound() async throws {
        let store = Store(isOpen: false)
        let group = group(store, batch: 4)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.commit([0]) }
            await store.firstWriteUnderWay()
            for number in 1...9 { tasks.addTask { try await group.commit([number]) } }
            while await group.waitingCallers < 9 { await Task.yield() }
            await store.open()
            try await tasks.waitForAll()
        }
        #expect(await store.writes.map(\.count) == [1, 4, 4, 1])
    }

    @Test func oneBadRecordCostsOnlyItsOwnCallerTheAnswer() async throws {
        let store = Store(isOpen: false)
        let group = group(store)
        let outcomes = await withTaskGroup(of: (Int, Bool).self) { tasks in
            tasks.addTask { (0, (try? await group.commit([0])) != nil) }
            await store.firstWriteUnderWay()
            for number in [1, -1, 2] { tasks.addTask { (number, (try? await group.commit([number])) != nil) } }
            while await group.waitingCallers < 3 { await Task.yield() }
            await store.open()
            return await tasks.reduce(into: [:]) { $0[$1.0] = $1.1 }
        }
        #expect(outcomes == [0: true, 1: true, -1: false, 2: true])
    }

    @Test func whoWouldWaitBeyondTheBoundIsRefused() async throws {
        let store = Store(isOpen: false)
        let group = group(store, waiting: 2)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.commit([0]) }
            await store.firstWriteUnderWay()
            for number in 1...2 { tasks.addTask { try await group.commit([number]) } }
            while await group.waitingCallers < 2 { await Task.yield() }
            let error = await #expect(throws: AuditError.self) { try await group.commit([3]) }
            #expect(error?.code == .overloaded)
            await store.open()
            try await tasks.waitForAll()
        }
    }

    @Test func aCancelledCallerStillGetsItsRecordWritten() async throws {
        let store = Store(isOpen: false)
        let group = group(store)
        let task = Task { try await group.commit([7]) }
        await store.firstWriteUnderWay()
        task.cancel()
        await store.open()
        try await task.value
        #expect(await store.writes == [[7]])
    }
}
