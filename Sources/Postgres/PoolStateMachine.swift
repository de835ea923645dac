/// Every decision of the pool: who gets which connection, who waits, when one is opened, what follows a failure. Pure;
/// `PostgresPool` carries the actions out under its lock.
package struct PoolStateMachine {
    package struct ConnectionID: Hashable, Sendable {
        package let number: Int
        package init(number: Int) { self.number = number }
    }
    package struct WaiterID: Hashable, Sendable {
        package let number: Int
        package init(number: Int) { self.number = number }
    }

    /// Open `id`, but not before `delay`.
    package struct Opening: Equatable {
        package let id: ConnectionID
        package let delay: Duration

        package init(id: ConnectionID, delay: Duration) {
            self.id = id
            self.delay = delay
        }
    }

    private enum Slot { case opening, idle, leased }

    private let maximumConnections: Int
    private let maximumWaiters: Int
    private let backoff: Backoff
    private var slots: [ConnectionID: Slot] = [:]
    /// The one used last is lent first, so that surplus ones stay cold.
    private var idle: [ConnectionID] = []
    private var waiters: [WaiterID] = []
    private var failures = 0
    private var openNotBefore: ContinuousClock.Instant?
    private var nextNumber = 0
    package private(set) var isClosed = false

    package init(maximumConnections: Int, maximumWaiters: Int, backoff: Backoff = .reconnecting) {
        precondition(maximumConnections > 0, "A pool needs at least one connection.")
        self.maximumConnections = maximumConnections
        self.maximumWaiters = maximumWaiters
        self.backoff = backoff
    }

    package var leasedCount: Int { slots.values.count { $0 == .leased } }
    package var idleCount: Int { idle.count }
    package var openingCount: Int { slots.values.count { $0 == .opening } }
    package var waiterCount: Int { waiters.count }

    // MARK: Asking

    package enum AcquireAction: Equatable {
        case lease(ConnectionID)
        case wait(Opening?)
        case refuseExhausted
        case refuseClosed
    }

    /// An idle connection at once, without waiting. Who waits already goes first.
    package mutating func leaseIdle() -> ConnectionID? {
        guard !isClosed, waiters.isEmpty, let id = idle.popLast() else { return nil }
        slots[id] = .leased
        return id
    }

    package mutating func acquire(_ waiter: WaiterID, now: ContinuousClock.Instant) -> AcquireAction {
        if isClosed { return .refuseClosed }
        if let id = leaseIdle() { return .lease(id) }
        guard waiters.count < maximumWaiters else { return .refuseExhausted }
        waiters.append(waiter)
        return .wait(openForWaiters(now: now))
    }

    /// The waiter gives up (cancelled, or out of time). True: it was still waiting and must be told.
    package mutating func withdraw(_ waiter: WaiterID) -> Bool {
        guard let place = waiters.firstIndex(of: waiter) else { return false }
        waiters.remove(at: place)
        return true
    }

    // MARK: Connections

    package enum SettleAction: Equatable {
        case lease(WaiterID)
        case park
        /// Drop the connection; `opening` is its successor, if somebody waits.
        case close(Opening?)
    }

    package mutating func opened(_ id: ConnectionID) -> SettleAction {
        failures = 0
        openNotBefore = nil
        return settle(id)
    }

    package mutating func released(_ id: ConnectionID, isReusable: Bool, now: ContinuousClock.Instant) -> SettleAction {
        precondition(slots[id] == .leased, "A connection is given back once.")
        if isReusable { return settle(id) }
        slots[id] = nil
        return .close(isClosed ? nil : openForWaiters(now: now))
    }

    package struct OpenFailedAction: Equatable {
        /// Tell these that no connection can be made.
        package var failing: [WaiterID]
        package var opening: Opening?

        package init(failing: [WaiterID] = [], opening: Opening? = nil) {
            self.failing = failing
            self.opening = opening
        }
    }

    /// `isFinal`: trying again cannot help (credentials, no such database). Otherwise those who wait go on waiting until their
    /// own deadline, and another attempt follows after a delay. `fraction` is random in 0..<1.
    package mutating func openFailed(
        _ id: ConnectionID, isFinal: Bool, now: ContinuousClock.Instant, fraction: Double
    ) -> OpenFailedAction {
        slots[id] = nil
        failures += 1
        openNotBefore = now + backoff.delay(afterFailures: failures, fraction: fraction)
        if isClosed { return OpenFailedAction() }
        if isFinal {
            defer { waiters.removeAll() }
            return OpenFailedAction(failing: waiters)
        }
        return OpenFailedAction(opening: openForWaiters(now: now))
    }

    package struct CloseAction: Equatable {
        package var failing: [WaiterID]
        package var dropping: [ConnectionID]

        package init(failing: [WaiterID], dropping: [ConnectionID]) {
            self.failing = failing
            self.dropping = dropping
        }
    }

    /// Nobody is served any more. What is lent out is dropped when it comes back, what is being opened when it is ready.
    package mutating func close() -> CloseAction {
        isClosed = true
        defer {
            waiters.removeAll()
            for id in idle { slots[id] = nil }
            idle.removeAll()
        }
        return CloseAction(failing: waiters, dropping: idle)
    }

    private mutating func settle(_ id: ConnectionID) -> SettleAction {
        if isClosed {
            slots[id] = nil
            return .close(nil)
        }
        if !waiters.isEmpty {
            slots[id] = .leased
            return .lease(waiters.removeFirst())
        }
        slots[id] = .idle
        idle.append(id)
        return .park
    }

    /// One more connection if somebody waits that no opening one is for, and the bound allows it. While the server is failing,
    /// one attempt at a time is enough.
    private mutating func openForWaiters(now: ContinuousClock.Instant) -> Opening? {
        let opening = openingCount
        guard waiters.count > opening, slots.count < maximumConnections, failures == 0 || opening == 0 else { return nil }
        let id = ConnectionID(number: nextNumber)
        nextNumber += 1
        slots[id] = .opening
        let delay = openNotBefore.map { $0 > now ? now.duration(to: $0) : .zero } ?? .zero
        return Opening(id: id, delay: delay)
    }
}
