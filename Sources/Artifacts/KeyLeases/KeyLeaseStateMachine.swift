/// Every decision of one key lease; no clock, no network, no secrets. See `docs/artifacts.md`, "Key leases".
///
/// ```
///            adopt                 denied · two unanswered · trust over
///   idle ────────────► held ──────────────────────────────────────────► lost
///     │                 │ ▲ confirmed
///     └──── release ────┴─┘───────────► released
/// ```
package struct KeyLeaseStateMachine: Sendable {
    package enum Action: Sendable, Equatable {
        case none
        /// Ask KMS, and report the answer with this number.
        case probe(Int)
        /// Wipe, tell everybody.
        case lose(KeyLeaseLost.Reason)
    }

    private struct Probe: Equatable {
        let number: Int
        let startedAt: Duration
    }

    private struct Held: Equatable {
        /// When the question was put to which KMS last said yes. A revocation after it may not be known yet.
        var confirmedAt: Duration
        var nextProbeAt: Duration
        var unanswered = 0
        var probe: Probe?
        /// An announcement came while a question was on its way: the answer may be older than it.
        var again = false
    }

    private enum Phase: Equatable {
        /// No data key is held: there is nothing to renew with, and nothing to lose.
        case idle
        case held(Held)
        case lost(KeyLeaseLost.Reason)
        case released
    }

    private let timing: KeyLeaseTiming
    private var phase = Phase.idle
    private var probes = 0

    package init(timing: KeyLeaseTiming) { self.timing = timing }

    package var isHeld: Bool {
        if case .held = phase { true } else { false }
    }

    /// Whether the keeper has nothing more to do for it.
    package var isOver: Bool {
        switch phase {
        case .lost, .released: true
        case .idle, .held: false
        }
    }

    /// KMS has just handed out a data key, asked for at `askedAt`: that is a confirmation.
    package mutating func adopt(askedAt: Duration) {
        switch phase {
        case .idle: phase = .held(Held(confirmedAt: askedAt, nextProbeAt: askedAt + timing.interval))
        case .held(var held):
            held.confirmedAt = max(held.confirmedAt, askedAt)
            phase = .held(held)
        case .lost, .released: break
        }
    }

    /// Why the lease may not be used at `now`; `nil` where it may. Time alone ends trust: a local clock only shortens it.
    package func refusal(at now: Duration) -> KeyLeaseLost.Reason? {
        switch phase {
        case .idle: nil
        case .held(let held): overdue(held, at: now)
        case .lost(let reason): reason
        case .released: .ended
        }
    }

    /// Since when KMS's yes is trusted, and how many renewals in a row were not answered; `nil` where nothing is held.
    package var standing: (confirmedAt: Duration, unanswered: Int)? {
        if case .held(let held) = phase { (held.confirmedAt, held.unanswered) } else { nil }
    }

    /// When `tick` has something to do next; `nil` where nothing but an event will.
    package var nextEvent: Duration? {
        guard case .held(let held) = phase else { return nil }
        let answer = held.probe.map { $0.startedAt + timing.answerWithin }
        return min(answer ?? held.nextProbeAt, held.confirmedAt + timing.trust)
    }

    package mutating func tick(_ now: Duration) -> Action {
        guard case .held(var held) = phase else { return .none }
        if let reason = overdue(held, at: now) { return lose(reason) }
        if let probe = held.probe {
            guard now - probe.startedAt >= timing.answerWithin else { return .none }
            held.probe = nil
            held.unanswered += 1
            if held.unanswered >= timing.unansweredAllowed { return lose(.unreachable("no answer in time")) }
        }
        guard now >= held.nextProbeAt || held.again else {
            phase = .held(held)
            return .none
        }
        probes += 1
        held.probe = Probe(number: probes, startedAt: now)
        held.nextProbeAt = now + timing.interval
        held.again = false
        phase = .held(held)
        return .probe(probes)
    }

    /// Something was announced that may concern the key: ask at the next tick.
    package mutating func renewNow(_ now: Duration) {
        guard case .held(var held) = phase else { return }
        if held.probe == nil { held.nextProbeAt = now } else { held.again = true }
        phase = .held(held)
    }

    /// The answer to probe `number`. A refusal counts however late it comes; anything else only in time.
    package mutating func answered(_ number: Int, _ answer: KeyLeaseAnswer) -> Action {
        guard case .held(var held) = phase else { return .none }
        if case .denied(let text) = answer { return lose(.denied(text)) }
        guard let probe = held.probe, probe.number == number else { return .none }
        held.probe = nil
        let action = settle(&held, answer, askedAt: probe.startedAt)
        if held.again { held.nextProbeAt = probe.startedAt }
        if action == .none { phase = .held(held) }
        return action
    }

    /// The answer to a question outside the beat (`confirm`), put at `askedAt`.
    package mutating func answered(askedAt: Duration, _ answer: KeyLeaseAnswer) -> Action {
        guard case .held(var held) = phase else { return .none }
        if case .denied(let text) = answer { return lose(.denied(text)) }
        let action = settle(&held, answer, askedAt: askedAt)
        if action == .none { phase = .held(held) }
        return action
    }

    /// Why trust is over by time alone; `nil` while it is not. Where KMS was asked and silent, that is the reason; else nobody
    /// asked in time.
    private func overdue(_ held: Held, at now: Duration) -> KeyLeaseLost.Reason? {
        guard now - held.confirmedAt >= timing.trust else { return nil }
        return held.unanswered > 0 ? .unreachable("no answer in time") : .stale
    }

    private mutating func settle(_ held: inout Held, _ answer: KeyLeaseAnswer, askedAt: Duration) -> Action {
        switch answer {
        case .confirmed:
            held.confirmedAt = max(held.confirmedAt, askedAt)
            held.unanswered = 0
        case .unanswered(let text):
            held.unanswered += 1
            if held.unanswered >= timing.unansweredAllowed { return lose(.unreachable(text)) }
        case .denied(let text):
            return lose(.denied(text))
        }
        return .none
    }

    /// Ends the lease from outside. The first reason stays.
    package mutating func lose(_ reason: KeyLeaseLost.Reason) -> Action {
        guard !isOver else { return .none }
        phase = .lost(reason)
        return .lose(reason)
    }

    /// The work is done; answers whether there was something to wipe.
    package mutating func release() {
        if !isOver { phase = .released }
    }
}
