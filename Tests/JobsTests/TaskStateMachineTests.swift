import Foundation
import Jobs
import Testing

@Suite struct TaskStateMachineTests {
    let start = Date(timeIntervalSince1970: 1_000_000)

    @Test func eachClaimGivesANewFence() {
        var task = TaskStateMachine(notBefore: start)
        #expect(task.claimed(at: start, lease: 5, lossesMax: 3) == .grant(Fence(1), afterLoss: false))
        #expect(task.claimed(at: start.addingTimeInterval(4.9), lease: 5, lossesMax: 3) == .leave)
        #expect(task.claimed(at: start.addingTimeInterval(5), lease: 5, lossesMax: 3) == .grant(Fence(2), afterLoss: true))
        #expect(task.finished(by: Fence(1)) == false)
        #expect(task.renewed(by: Fence(1), at: start.addingTimeInterval(6), lease: 5) == false)
        #expect(task.finished(by: Fence(2)) == true)
        #expect(task.finished(by: Fence(2)) == false)
    }

    @Test func aTaskThatCostsItsLastWorkerIsGivenUp() {
        var task = TaskStateMachine(notBefore: start)
        var now = start
        for attempt in 1...3 {
            #expect(task.claimed(at: now, lease: 5, lossesMax: 3) == .grant(Fence(Int64(attempt)), afterLoss: attempt > 1))
            now += 5
        }
        #expect(task.claimed(at: now, lease: 5, lossesMax: 3) == .giveUp)
    }

    @Test func aTaskThatGetsOnIsNoPoison() {
        var task = TaskStateMachine(state: .running, fence: Fence(4), losses: 2, leaseUntil: start, notBefore: start)
        #expect(task.progressed(by: Fence(4)) == true)
        #expect(task.claimed(at: start, lease: 5, lossesMax: 3) == .grant(Fence(5), afterLoss: true))
    }

    @Test func whatMustFinishIsClaimedForeverButNotAtFullPace() {
        var task = TaskStateMachine(
            state: .running, fence: Fence(9), losses: 8, leaseUntil: start, notBefore: start, mustFinish: true)
        #expect(task.claimed(at: start, lease: 5, lossesMax: 3) == .leave)
        #expect(
            task.claimed(at: start + TaskStateMachine.pauseAfterManyLosses, lease: 5, lossesMax: 3)
                == .grant(Fence(10), afterLoss: true))
    }

    @Test func anExpiredLeaseIsNotRenewed() {
        var task = TaskStateMachine(notBefore: start)
        _ = task.claimed(at: start, lease: 5, lossesMax: 3)
        #expect(task.renewed(by: Fence(1), at: start + 4.9, lease: 5) == true)
        #expect(task.renewed(by: Fence(1), at: start + 9.9, lease: 5) == false)
    }

    @Test func retriesEndAtTheDeadline() {
        var task = TaskStateMachine(notBefore: start)
        _ = task.claimed(at: start, lease: 5, lossesMax: 3)
        #expect(task.failedRetriably(by: Fence(1), at: start, backoff: 2, retryPeriod: 10) == .retry(at: start + 2))
        #expect(task.claimed(at: start + 1.9, lease: 5, lossesMax: 3) == .leave)
        _ = task.claimed(at: start + 2, lease: 20, lossesMax: 3)
        #expect(task.failedRetriably(by: Fence(1), at: start + 10, backoff: 2, retryPeriod: 10) == .refuse)
        #expect(task.failedRetriably(by: Fence(2), at: start + 10, backoff: 2, retryPeriod: 10) == .giveUp)
        #expect(task.state == .failed)
    }

    @Test func aDrainedAttemptDoesNotCount() {
        var task = TaskStateMachine(notBefore: start)
        _ = task.claimed(at: start, lease: 5, lossesMax: 3)
        #expect(task.released(by: Fence(1), at: start) == true)
        #expect(task.attempts == 0)
        #expect(task.claimed(at: start, lease: 5, lossesMax: 3) == .grant(Fence(2), afterLoss: false))
    }

    @Test func aCancelledRunningTaskRemembersItsLease() {
        var task = TaskStateMachine(notBefore: start)
        _ = task.claimed(at: start, lease: 5, lossesMax: 3)
        task.cancelled()
        #expect(task.leaseUntil == start + 5)
        #expect(task.renewed(by: Fence(1), at: start, lease: 5) == false)
    }
}

@Suite struct RetryPolicyTests {
    @Test func waitsDoubleUpToTheCapWithJitter() {
        let policy = RetryPolicy(first: .milliseconds(100), cap: .seconds(1))
        #expect(policy.backoff(afterFailures: 0, random: 0) == .milliseconds(50))
        #expect(policy.backoff(afterFailures: 2, random: 0.5) == .milliseconds(300))
        #expect(policy.backoff(afterFailures: 1_000_000, random: 0) == .milliseconds(500))
        #expect(policy.backoff(afterFailures: 9, random: 0.999) <= .seconds(1))
    }
}

@Suite struct TrustWindowTests {
    @Test func trustEndsBeforeTheLeaseAndOnlyGrows() {
        let sent = ContinuousClock.now
        var trust = TrustWindow(from: sent, lease: .seconds(5), margin: .milliseconds(500))
        #expect(trust.holds(at: sent + .milliseconds(4499)))
        #expect(!trust.holds(at: sent + .milliseconds(4500)))
        trust.extend(to: TrustWindow(from: sent - .seconds(1), lease: .seconds(5), margin: .milliseconds(500)))
        #expect(trust.until == sent + .milliseconds(4500))
    }
}
