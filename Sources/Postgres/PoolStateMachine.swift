/// Every decision of the pool: who gets which connection, who waits, when one is opened, what follows a failure. Pure;
/// `PostgresPool` carries the actions out under its lock.
struct PoolStateMachine {
    struct ConnectionID: Hashable, Sendable { let number: Int }
    struct WaiterID: Hashable, Sendable { let number: Int }

    /// Open `id`, but not before `delay`.
    struct Opening: Equatable {
        let id: ConnectionID
        let delay: Duration
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
    private(set) var isClosed = false

    init(maximumConnections: Int, maximumWaiters: Int, backoff: Backoff = .reconnecting) {
        precondition(maximumConnections > 0, "A pool needs at least one connection.")
        self.maximumConnections = maximumConnections
        self.maximumWaiters = maximumWaiters
        self.backoff = backoff
    }

    var leasedCount: Int { slots.values.count { $0 == .leased } }
    var idleCount: Int { idle.count }
    var openingCount: Int { slots.values.count { $0 == .opening } }
    var waiterCount: Int { waiters.count }

    // MARK: Asking

    enum AcquireAction: Equatable {
        case lease(ConnectionID)
        case wait(Opening?)
        case refuseExhausted
        case refuseClosed
    }

    /// An idle connection at once, without waiting. Who waits already goes first.
    mutating func leaseIdle() -> ConnectionID? {
        guard !isClosed, waiters.isEmpty, let id = idle.popLast() else { return nil }
        slots[id] = .leased
        return id
    }

    mutating func acquire(_ waiter: WaiterID, now: ContinuousClock.Instant) -> AcquireAction {
        if isClosed { return .refuseClosed }
        if let id = leaseIdle() { return .lease(id) }
        guard waiters.count < maximumWaiters else { return .refuseExhausted }
        waiters.append(waiter)
        return .wait(openForWaiters(now: now))
    }

    /// The waiter gives up (cancelled, or out of time). True: it was still waiting and must be told.
    mutating func withdraw(_ waiter: WaiterID) -> Bool {
        guard let place = waiters.firstIndex(of: waiter) else { return false }
        waiters.remove(at: place)
        return true
    }

    // MARK: Connections

    enum SettleAction: Equatable {
        case lease(WaiterID)
        case park
        /// Drop the connection; `opening` is its successor, if somebody waits.
        case close(Opening?)
    }

    mutating func opened(_ id: ConnectionID) -> SettleAction {
        failures = 0
        openNotBefore = nil
        return settle(id)
    }

    mutating func released(_ id: ConnectionID, isReusable: Bool, now: ContinuousClock.Instant) -> SettleAction {
        precondition(slots[id] == .leased, "A connection is given back once.")
        if isReusable { return settle(id) }
        slots[id] = nil
        return .close(isClosed ? nil : openForWaiters(now: now))
    }

    struct OpenFailedAction: Equatable {
        /// Tell these that no connection can be made.
        var failing: [WaiterID] = []
        var opening: Opening?
    }

    /// `isFinal`: trying again cannot help (credentials, no such database). Otherwise those who wait go on waiting until their
    /// own deadline, and another attempt follows after a delay. `fraction` is random in 0..<1.
    mutating func openFailed(
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

    struct CloseAction: Equatable {
        var failing: [WaiterID]
        var dropping: [ConnectionID]
    }

    /// Nobody is served any more. What is lent out is dropped when it comes back, what is being opened when it is ready.
    mutating func close() -> CloseAction {
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
