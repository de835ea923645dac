import Artifacts
import Testing

/// The decisions alone; `KeyLeaseTests` has them at work.
@Suite struct KeyLeaseStateMachineTests {
    private let timing = KeyLeaseTiming(interval: .seconds(2))

    private func held(askedAt: Duration = .zero) -> KeyLeaseStateMachine {
        var lease = KeyLeaseStateMachine(timing: timing)
        lease.adopt(askedAt: askedAt)
        return lease
    }

    @Test func trustIsTwoRenewalsAndTheAnswerToTheSecond() {
        #expect(timing.trust == .seconds(6))
        let lease = held()
        #expect(lease.refusal(at: .milliseconds(5999)) == nil)
        #expect(lease.refusal(at: .seconds(6)) == .stale)
    }

    @Test func silenceOfKMSIsTheReasonThoughTimersAreLate() {
        var lease = held()
        #expect(lease.tick(.milliseconds(2001)) == .probe(1))
        #expect(lease.tick(.milliseconds(4002)) == .probe(2))
        // The second question has its time until 6002; trust is over before.
        #expect(lease.nextEvent == .seconds(6))
        #expect(lease.tick(.milliseconds(6001)) == .lose(.unreachable("no answer in time")))
        #expect(lease.isOver)
    }

    @Test func nobodyAskedInTimeIsAnotherReason() {
        var lease = held()
        #expect(lease.tick(.seconds(7)) == .lose(.stale))
        #expect(lease.refusal(at: .seconds(7)) == .stale)
    }

    @Test func aDataKeyThatCameTooLateIsNotTrusted() {
        let lease = held(askedAt: .seconds(1))
        #expect(lease.isHeld && lease.refusal(at: .seconds(7)) == .stale)
    }

    @Test func trustCountsFromTheQuestion() {
        var lease = held()
        #expect(lease.tick(.seconds(2)) == .probe(1))
        #expect(lease.answered(1, .confirmed) == .none)
        #expect(lease.refusal(at: .milliseconds(7999)) == nil)
        #expect(lease.refusal(at: .seconds(8)) == .stale)
    }

    @Test func anAnnouncementDuringAQuestionIsAskedAgain() {
        var lease = held()
        #expect(lease.tick(.seconds(2)) == .probe(1))
        lease.renewNow(.milliseconds(2100))
        #expect(lease.tick(.milliseconds(2100)) == .none, "one question at a time")
        #expect(lease.answered(1, .confirmed) == .none)
        #expect(lease.tick(.milliseconds(2200)) == .probe(2), "the answer may be older than the announcement")
        #expect(lease.answered(2, .denied("revoked")) == .lose(.denied("revoked")))
    }

    @Test func aRefusalCountsHoweverLateAndOnlyOnce() {
        var lease = held()
        #expect(lease.tick(.seconds(2)) == .probe(1))
        #expect(lease.tick(.seconds(4)) == .probe(2))
        #expect(lease.answered(1, .denied("revoked")) == .lose(.denied("revoked")))
        #expect(lease.answered(2, .confirmed) == .none)
        #expect(lease.refusal(at: .seconds(4)) == .denied("revoked"))
        lease.adopt(askedAt: .seconds(5))
        #expect(lease.isOver, "no data key brings a lost lease back")
    }

    @Test func aYesThatComesTooLateIsNone() {
        var lease = held()
        #expect(lease.tick(.seconds(2)) == .probe(1))
        #expect(lease.tick(.seconds(4)) == .probe(2))
        #expect(lease.answered(1, .confirmed) == .none)
        #expect(lease.standing?.confirmedAt == .zero && lease.standing?.unanswered == 1)
    }

    @Test func whatIsReleasedAsksNothing() {
        var lease = held()
        lease.release()
        #expect(lease.tick(.seconds(2)) == .none && lease.nextEvent == nil && lease.refusal(at: .seconds(2)) == .ended)
    }
}
