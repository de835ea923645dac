import Postgres
import Testing

struct PoolStateMachineTests {
    private typealias Machine = PoolStateMachine
    private let now = ContinuousClock.now

    private func connection(_ number: Int) -> PoolStateMachine.ConnectionID { .init(number: number) }
    private func waiter(_ number: Int) -> PoolStateMachine.WaiterID { .init(number: number) }

    private func machine(connections: Int = 2, waiters: Int = 10) -> PoolStateMachine {
        PoolStateMachine(
            maximumConnections: connections, maximumWaiters: waiters,
            backoff: Backoff(first: .milliseconds(100), cap: .milliseconds(400)))
    }

    /// A machine whose connections 0..<count are lent out.
    private func machineWithLeases(_ count: Int, waiters: Int = 10) -> PoolStateMachine {
        var machine = machine(connections: count, waiters: waiters)
        for number in 0..<count {
            _ = machine.acquire(waiter(1000 + number), now: now)
            _ = machine.opened(connection(number))
        }
        return machine
    }

    @Test func firstRequestOpensAConnectionAndGetsIt() {
        var machine = machine()
        #expect(machine.acquire(waiter(1), now: now) == .wait(.init(id: connection(0), delay: .zero)))
        #expect(machine.opened(connection(0)) == .lease(waiter(1)))
        #expect(machine.leasedCount == 1)
        #expect(machine.waiterCount == 0)
    }

    @Test func connectionsNeverExceedTheBound() {
        var machine = machine(connections: 2)
        #expect(machine.acquire(waiter(1), now: now) == .wait(.init(id: connection(0), delay: .zero)))
        #expect(machine.acquire(waiter(2), now: now) == .wait(.init(id: connection(1), delay: .zero)))
        #expect(machine.acquire(waiter(3), now: now) == .wait(nil))
        #expect(machine.openingCount == 2)
    }

    @Test(arguments: [0, 1, 2])
    func waitersAreRefusedBeyondTheBound(bound: Int) {
        var machine = machineWithLeases(1, waiters: max(bound, 1))
        for number in 0..<max(bound, 1) { #expect(machine.acquire(waiter(number), now: now) == .wait(nil)) }
        #expect(machine.acquire(waiter(99), now: now) == .refuseExhausted)
    }

    @Test func whoWaitsLongestIsServedFirst() {
        var machine = machineWithLeases(1)
        _ = machine.acquire(waiter(1), now: now)
        _ = machine.acquire(waiter(2), now: now)
        #expect(machine.released(connection(0), isReusable: true, now: now) == .lease(waiter(1)))
        #expect(machine.released(connection(0), isReusable: true, now: now) == .lease(waiter(2)))
        #expect(machine.released(connection(0), isReusable: true, now: now) == .park)
    }

    @Test func idleConnectionUsedLastIsLentFirst() {
        var machine = machineWithLeases(2)
        _ = machine.released(connection(0), isReusable: true, now: now)
        _ = machine.released(connection(1), isReusable: true, now: now)
        #expect(machine.leaseIdle() == connection(1))
        #expect(machine.leaseIdle() == connection(0))
        #expect(machine.leaseIdle() == nil)
    }

    @Test func withdrawnWaiterIsNotServed() {
        var machine = machineWithLeases(1)
        _ = machine.acquire(waiter(1), now: now)
        _ = machine.acquire(waiter(2), now: now)
        #expect(machine.withdraw(waiter(1)) == true)
        #expect(machine.withdraw(waiter(1)) == false)
        #expect(machine.released(connection(0), isReusable: true, now: now) == .lease(waiter(2)))
    }

    @Test func withdrawingAfterBeingServedIsTooLate() {
        var machine = machineWithLeases(1)
        _ = machine.acquire(waiter(1), now: now)
        _ = machine.released(connection(0), isReusable: true, now: now)
        #expect(machine.withdraw(waiter(1)) == false)
        #expect(machine.leasedCount == 1)
    }

    @Test func brokenConnectionIsReplacedWhenSomebodyWaits() {
        var machine = machineWithLeases(1)
        #expect(machine.acquire(waiter(1), now: now) == .wait(nil))
        #expect(
            machine.released(connection(0), isReusable: false, now: now)
                == .close(.init(id: connection(1), delay: .zero)))
        #expect(machine.opened(connection(1)) == .lease(waiter(1)))
    }

    @Test func brokenConnectionIsNotReplacedForNobody() {
        var machine = machineWithLeases(1)
        #expect(machine.released(connection(0), isReusable: false, now: now) == .close(nil))
        #expect(machine.leasedCount == 0)
    }

    @Test func failingServerIsTriedOneAtATimeWithGrowingCappedDelays() {
        var machine = machine(connections: 4)
        for number in 0..<3 { _ = machine.acquire(waiter(number), now: now) }
        // Three attempts are under way; their failures lead to one.
        _ = machine.openFailed(connection(0), isFinal: false, now: now, fraction: 0)
        _ = machine.openFailed(connection(1), isFinal: false, now: now, fraction: 0)
        let third = machine.openFailed(connection(2), isFinal: false, now: now, fraction: 0)
        #expect(third.failing.isEmpty)
        #expect(machine.openingCount == 1)
        #expect(third.opening == .init(id: connection(3), delay: .milliseconds(200)))
        let fourth = machine.openFailed(connection(3), isFinal: false, now: now, fraction: 0.5)
        #expect(fourth.opening?.delay == .milliseconds(300))
        let fifth = machine.openFailed(connection(4), isFinal: false, now: now, fraction: 0)
        #expect(fifth.opening?.delay == .milliseconds(200))
    }

    @Test func lateRequestWaitsOutTheDelayOfAnEarlierFailure() {
        var machine = machine()
        _ = machine.acquire(waiter(1), now: now)
        #expect(machine.withdraw(waiter(1)) == true)
        #expect(machine.openFailed(connection(0), isFinal: false, now: now, fraction: 0) == .init())
        #expect(
            machine.acquire(waiter(2), now: now + .milliseconds(20))
                == .wait(.init(id: connection(1), delay: .milliseconds(30))))
    }

    @Test func successEndsTheDelays() {
        var machine = machine()
        _ = machine.acquire(waiter(1), now: now)
        _ = machine.openFailed(connection(0), isFinal: false, now: now, fraction: 0)
        #expect(machine.opened(connection(1)) == .lease(waiter(1)))
        #expect(machine.acquire(waiter(2), now: now) == .wait(.init(id: connection(2), delay: .zero)))
    }

    @Test func finalFailureTellsEverybodyAtOnce() {
        var machine = machine(connections: 1)
        _ = machine.acquire(waiter(1), now: now)
        _ = machine.acquire(waiter(2), now: now)
        let action = machine.openFailed(connection(0), isFinal: true, now: now, fraction: 0)
        #expect(action.failing == [waiter(1), waiter(2)])
        #expect(action.opening == nil)
        #expect(machine.waiterCount == 0)
    }

    @Test func closingFailsWaitersAndDropsWhatComesBack() {
        var machine = machineWithLeases(2)
        _ = machine.released(connection(1), isReusable: true, now: now)
        _ = machine.leaseIdle()
        _ = machine.acquire(waiter(1), now: now)
        #expect(machine.close() == .init(failing: [waiter(1)], dropping: []))
        #expect(machine.released(connection(0), isReusable: true, now: now) == .close(nil))
        #expect(machine.acquire(waiter(2), now: now) == .refuseClosed)
        #expect(machine.leaseIdle() == nil)
    }

    @Test func connectionThatOpensAfterClosingIsDropped() {
        var machine = machine()
        _ = machine.acquire(waiter(1), now: now)
        _ = machine.close()
        #expect(machine.opened(connection(0)) == .close(nil))
    }

    /// Random events; after each the bounds hold and nobody is both waiting and served.
    @Test(arguments: 0..<20 as Range<UInt64>)
    func boundsHoldUnderRandomSchedules(seed: UInt64) {
        var random = SplitMix64(state: seed)
        var machine = PoolStateMachine(maximumConnections: 3, maximumWaiters: 5)
        var opening: Set<PoolStateMachine.ConnectionID> = []
        var leased: Set<PoolStateMachine.ConnectionID> = []
        var waiting: Set<PoolStateMachine.WaiterID> = []
        var time = now
        func note(_ action: PoolStateMachine.SettleAction, _ id: PoolStateMachine.ConnectionID) {
            switch action {
            case .lease(let waiter):
                #expect(waiting.remove(waiter) != nil)
                leased.insert(id)
            case .park: break
            case .close(let next): if let next { opening.insert(next.id) }
            }
        }
        for step in 0..<2000 {
            time += .milliseconds(Int.random(in: 0..<50, using: &random))
            switch Int.random(in: 0..<6, using: &random) {
            case 0, 1:
                let waiter = waiter(step)
                switch machine.acquire(waiter, now: time) {
                case .lease(let id): leased.insert(id)
                case .wait(let next):
                    waiting.insert(waiter)
                    if let next { opening.insert(next.id) }
                case .refuseExhausted: #expect(waiting.count == 5)
                case .refuseClosed: Issue.record("Nobody closed it.")
                }
            case 2: if let id = opening.popFirst() { note(machine.opened(id), id) }
            case 3:
                guard let id = opening.popFirst() else { continue }
                let action = machine.openFailed(
                    id, isFinal: Bool.random(using: &random), now: time, fraction: .random(in: 0..<1, using: &random))
                for waiter in action.failing { #expect(waiting.remove(waiter) != nil) }
                if let next = action.opening { opening.insert(next.id) }
            case 4:
                guard let id = leased.popFirst() else { continue }
                note(machine.released(id, isReusable: Bool.random(using: &random), now: time), id)
            default:
                guard let waiter = waiting.popFirst() else { continue }
                #expect(machine.withdraw(waiter) == true)
            }
            #expect(machine.leasedCount + machine.idleCount + machine.openingCount <= 3)
            #expect(machine.leasedCount == leased.count && machine.openingCount == opening.count)
            #expect(machine.waiterCount == waiting.count)
            // Who waits is always waited for: a connection is being opened or lent out.
            #expect(waiting.isEmpty || !opening.isEmpty || !leased.isEmpty)
        }
    }
}

/// A small seeded generator (Steele, Lea, Flood: "Fast splittable pseudorandom number generators").
struct SplitMix64: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
