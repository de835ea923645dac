package import Secrets
import Synchronization
import Telemetry

/// The right to hold data keys, and plaintext opened under them, of one artifact under one grant.
///
/// It begins when the first data key arrives and is renewed by its keeper. When KMS refuses, or does not answer twice, all
/// that was registered is wiped, the handlers are called, and every later use throws ``KeyLeaseLost``.
package final class KeyLease: Sendable {
    package let resource: String
    package let keyARN: String
    private let roleARN: String?

    fileprivate struct WeakWipeable: Sendable {
        weak var value: (any Wipeable)?
    }

    fileprivate struct State: Sendable {
        var machine: KeyLeaseStateMachine
        var subject: KeyLeaseSubject?
        var held: [WeakWipeable] = []
        var handlers: [Int: @Sendable (KeyLeaseLost) -> Void] = [:]
        var nextHandler = 0
        /// Grows with what is alive, so that dead entries are swept now and then and not at every registration.
        var sweepAt = 64
        /// When the first announcement came that no answer has settled since.
        var announcedAt: Duration?

        mutating func confirmed(askedAt: Duration) {
            if let announcedAt, askedAt >= announcedAt { self.announcedAt = nil }
        }
    }

    private let state: Mutex<State>
    private let clock: LeaseClock
    private let timing: KeyLeaseTiming
    private let probe: any KeyLeaseProbe
    private let trace: FrameTrace?
    /// Tells the keeper that there is something to do.
    private let changed: @Sendable () -> Void
    /// Of the work that it was made for: questions to KMS belong to it.
    private let traceContext = TraceContext.current

    init(
        resource: String, keyARN: String, roleARN: String?, probe: any KeyLeaseProbe, timing: KeyLeaseTiming, clock: LeaseClock,
        trace: FrameTrace? = nil, changed: @escaping @Sendable () -> Void
    ) {
        self.resource = resource
        self.keyARN = keyARN
        self.roleARN = roleARN
        self.probe = probe
        self.trace = trace
        self.timing = timing
        self.clock = clock
        self.changed = changed
        state = Mutex(State(machine: KeyLeaseStateMachine(timing: timing)))
    }

    // MARK: For those who work under it

    /// Throws ``KeyLeaseLost`` unless the key may be used now; then all that was registered is wiped. Cheap: call it before each
    /// piece of work.
    package func check() throws(KeyLeaseLost) {
        let now = clock.now()
        guard let reason = state.withLock({ $0.machine.refusal(at: now) }) else { return }
        // Trust may be over before the keeper comes to see it.
        end(reason)
        throw lost(reason)
    }

    /// How long ago the question was put to which KMS last said yes, and renewals since without an answer; `nil` where no
    /// data key is held.
    package var standing: (age: Duration, unanswered: Int)? {
        let now = clock.now()
        // Read out first: mapped under the lock, this stops the optimiser of Swift 6.3.
        let standing = state.withLock { $0.machine.standing }
        guard let standing else { return nil }
        return (now - standing.confirmedAt, standing.unanswered)
    }

    /// Has `secret` wiped when the lease ends. Where it has ended already, wipes at once and throws. The lease does not
    /// keep it alive.
    package func register(_ secret: any Wipeable) throws(KeyLeaseLost) {
        let now = clock.now()
        let reason = state.withLock { state -> KeyLeaseLost.Reason? in
            if let reason = state.machine.refusal(at: now) { return reason }
            if state.held.count >= state.sweepAt {
                state.held.removeAll { $0.value == nil }
                state.sweepAt = max(64, state.held.count * 2)
            }
            state.held.append(WeakWipeable(value: secret))
            return nil
        }
        guard let reason else { return }
        secret.wipe()
        end(reason)
        throw lost(reason)
    }

    /// KMS answered with a data key that was asked for at `askedAt`. The first one is what renewals ask about.
    func adopt(_ subject: KeyLeaseSubject, askedAt: Duration) {
        state.withLock { state in
            if state.subject == nil { state.subject = subject }
            state.machine.adopt(askedAt: askedAt)
        }
        trace?.note(.held, of: self)
        changed()
    }

    var now: Duration { clock.now() }

    /// KMS refused a data key: as good as a refused renewal, and it comes sooner.
    func refused(_ refusal: KeyRefusal) throws -> Never {
        end(.denied(refusal.text))
        try check()
        throw lost(.denied(refusal.text))
    }

    /// Calls `handler` once when the lease is lost (at once where it is), never after `forget`. It must not block.
    package func onLoss(_ handler: @escaping @Sendable (KeyLeaseLost) -> Void) -> Int {
        let now = clock.now()
        let (number, reason) = state.withLock { state -> (Int, KeyLeaseLost.Reason?) in
            state.nextHandler += 1
            let reason = state.machine.refusal(at: now)
            if reason == nil { state.handlers[state.nextHandler] = handler }
            return (state.nextHandler, reason)
        }
        if let reason { handler(lost(reason)) }
        return number
    }

    package func forget(handler: Int) {
        state.withLock { $0.handlers[handler] = nil }
    }

    /// Asks KMS now and returns when it said yes: once more before publishing. Without a data key there is nothing to ask.
    package func confirm() async throws {
        for _ in 0..<timing.unansweredAllowed {
            try check()
            guard let subject = state.withLock({ $0.machine.isHeld ? $0.subject : nil }) else { return }
            let askedAt = clock.now()
            let answer = await ask(subject)
            try Task.checkCancellation()
            carryOut(
                state.withLock { state in
                    if answer == .confirmed { state.confirmed(askedAt: askedAt) }
                    return state.machine.answered(askedAt: askedAt, answer)
                })
            if answer == .confirmed {
                try check()
                trace?.note(.confirmed(ago: clock.now() - askedAt), of: self)
                return
            }
        }
        // Two questions in a row without an answer, whatever the beat heard in between.
        carryOut(state.withLock { $0.machine.lose(.unreachable("no answer before publishing")) })
        try check()
    }

    /// Asks for a renewal at once: something was announced.
    package func renewNow() {
        let now = clock.now()
        state.withLock { state in
            if state.machine.isHeld { state.announcedAt = state.announcedAt ?? now }
            state.machine.renewNow(now)
        }
        changed()
    }

    /// The work is done: wipes what is left and ends the renewals.
    package func release() {
        let held = state.withLock { state in
            state.machine.release()
            state.handlers = [:]
            return state.takeHeld()
        }
        let alive = held.compactMap(\.value)
        for secret in alive { secret.wipe() }
        trace?.note(.released(wiped: alive.count), of: self)
        changed()
    }

    /// Said by whoever has just sealed or opened frames under the lease.
    package func sealed(bytes: Int) {
        trace?.note(.sealed(bytes: bytes), of: self)
        Measure.count(.bytesSealed, by: bytes)
    }
    package func opened(bytes: Int) {
        trace?.note(.opened(bytes: bytes), of: self)
        Measure.count(.bytesOpened, by: bytes)
    }

    // MARK: For the keeper

    /// The number of the question to put now; `nil` where there is none.
    func tick() -> Int? {
        let now = clock.now()
        let action = state.withLock { $0.machine.tick(now) }
        if case .probe(let number) = action { return number }
        carryOut(action)
        return nil
    }

    func renew(_ number: Int) async {
        guard let subject = state.withLock({ $0.subject }) else { return }
        let askedAt = clock.now()
        let answer = await TraceContext.$current.withValue(traceContext) { await ask(subject) }
        if Task.isCancelled { return }
        carryOut(
            state.withLock { state in
                if answer == .confirmed { state.confirmed(askedAt: askedAt) }
                return state.machine.answered(number, answer)
            })
        changed()
    }

    func end(_ reason: KeyLeaseLost.Reason) {
        carryOut(state.withLock { $0.machine.lose(reason) })
    }

    var nextEvent: Duration? { state.withLock { $0.machine.nextEvent } }
    var isOver: Bool { state.withLock { $0.machine.isOver } }

    // MARK: Inside

    /// Puts the question; silence for the agreed time is an answer too.
    private func ask(_ subject: KeyLeaseSubject) async -> KeyLeaseAnswer {
        let (probe, clock, deadline) = (probe, clock, clock.now() + timing.answerWithin)
        return await withTaskGroup(of: KeyLeaseAnswer?.self) { group in
            group.addTask { await probe.ask(subject) }
            group.addTask {
                try? await clock.sleepUntil(deadline)
                return nil
            }
            defer { group.cancelAll() }
            return (await group.next() ?? nil) ?? .unanswered("no answer in time")
        }
    }

    private func lost(_ reason: KeyLeaseLost.Reason) -> KeyLeaseLost {
        KeyLeaseLost(resource: resource, keyARN: keyARN, roleARN: roleARN, reason: reason)
    }

    private func carryOut(_ action: KeyLeaseStateMachine.Action) {
        guard case .lose(let reason) = action else { return }
        let (held, handlers, announcedAt) = state.withLock { state in
            let handlers = Array(state.handlers.values)
            state.handlers = [:]
            return (state.takeHeld(), handlers, state.announcedAt)
        }
        // Keys first: whoever is told must find them gone.
        let alive = held.compactMap(\.value)
        for secret in alive { secret.wipe() }
        Measure.count(.keyLeasesLost, [("reason", KeyLeaseLost.word(reason))])
        if let announcedAt, case .denied = reason { Measure.observe(.revocationSeconds, [], clock.now() - announcedAt) }
        trace?.note(.lost(wiped: alive.count, handlers: handlers.count, reason: "\(reason)"), of: self)
        let error = lost(reason)
        for handler in handlers { handler(error) }
    }
}

extension KeyLease.State {
    fileprivate mutating func takeHeld() -> [KeyLease.WeakWipeable] {
        defer { held = [] }
        return held
    }
}
