package import Logging
import ServiceLifecycle
import Synchronization
import Telemetry

/// A bounded set of sessions with the server, made on demand and lent one at a time.
///
/// Works before `run()` is called; `run()` only waits for shutdown and then closes. Put it first in a service group: services
/// are stopped in the reverse order.
package final class PostgresPool: Service, Sendable {
    typealias ConnectionID = PoolStateMachine.ConnectionID
    typealias WaiterID = PoolStateMachine.WaiterID

    struct Lease: Sendable {
        let id: ConnectionID
        let connection: PostgresConnection
    }

    private struct State {
        var machine: PoolStateMachine
        var connections: [ConnectionID: PostgresConnection] = [:]
        var continuations: [WaiterID: CheckedContinuation<Lease, any Error>] = [:]
        /// Why the last attempt to connect failed: said to whoever waits in vain.
        var lastFailure: PostgresError?
        var nextWaiter = 0
    }

    package let configuration: PostgresConfiguration
    let logger: Logger
    let closing = ClosingSignal()
    private let state: Mutex<State>
    private let acquireTime: MeasuredTime

    package init(configuration: PostgresConfiguration, logger: Logger) {
        self.configuration = configuration
        self.logger = logger
        acquireTime = Measure.time(.poolAcquireSeconds, [("pool", configuration.poolName)])
        Measure.count(.poolConnectFailures, [("pool", configuration.poolName)], by: 0)
        state = Mutex(
            State(
                machine: PoolStateMachine(
                    maximumConnections: configuration.maximumConnections, maximumWaiters: configuration.maximumWaiters)))
    }

    deinit { close() }

    package func run() async throws {
        // Throws when cancelled, which ends the pool as well.
        try? await gracefulShutdown()
        close()
    }

    /// Refuses new work, drops idle sessions; those lent out end when they come back.
    package func close() {
        let (continuations, dropped) = state.withLock { state in
            let action = state.machine.close()
            return (
                action.failing.compactMap { state.continuations.removeValue(forKey: $0) },
                action.dropping.compactMap { state.connections.removeValue(forKey: $0) }
            )
        }
        continuations.forEach { $0.resume(throwing: PostgresError.poolClosed) }
        closing.close()
        withExtendedLifetime(dropped) {}
    }

    /// Connections and who waits for one, at this moment.
    package struct Use: Sendable {
        package let leased: Int
        package let idle: Int
        package let opening: Int
        package let waiting: Int
    }

    package var use: Use {
        state.withLock {
            Use(
                leased: $0.machine.leasedCount, idle: $0.machine.idleCount, opening: $0.machine.openingCount,
                waiting: $0.machine.waiterCount)
        }
    }

    /// Tasks in line for a connection.
    package var waiterCount: Int { state.withLock { $0.machine.waiterCount } }

    // MARK: Lending

    func acquire() async throws -> Lease {
        let began = ContinuousClock.now
        // Each idle session that turns out to be dead makes room for the next; there are no more than the bound.
        for _ in 0...configuration.maximumConnections {
            try Task.checkCancellation()
            let lease: Lease
            if let idle = idleLease() { lease = idle } else { lease = try await waitForLease() }
            if lease.connection.isUsable() {
                acquireTime.record(ContinuousClock.now - began)
                return lease
            }
            release(lease)
        }
        throw PostgresError(.connectionLost, message: "Every session of the pool was found dead.")
    }

    func release(_ lease: Lease) {
        let isReusable = lease.connection.isReusable
        let now = ContinuousClock.now
        let resume = state.withLock { state in
            settle(state.machine.released(lease.id, isReusable: isReusable, now: now), lease, &state)
        }
        carryOut(resume)
    }

    private func idleLease() -> Lease? {
        state.withLock { state in
            guard let id = state.machine.leaseIdle(), let connection = state.connections[id] else { return nil }
            return Lease(id: id, connection: connection)
        }
    }

    /// Waits in line, at most `acquireTimeout`.
    private func waitForLease() async throws -> Lease {
        let waiter = state.withLock { state in
            state.nextWaiter += 1
            return WaiterID(number: state.nextWaiter)
        }
        let deadline = ContinuousClock.now + configuration.acquireTimeout
        return try await withThrowingTaskGroup(of: Lease?.self) { group in
            group.addTask { try await self.standInLine(waiter, until: deadline) }
            group.addTask {
                try? await Task.sleep(until: deadline, clock: .continuous)
                if !Task.isCancelled { self.giveUp(waiter) }
                return nil
            }
            defer { group.cancelAll() }
            while let outcome = try await group.next() {
                if let lease = outcome { return lease }
            }
            throw PostgresError.poolClosed
        }
    }

    private func standInLine(_ waiter: WaiterID, until deadline: ContinuousClock.Instant) async throws -> Lease {
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let now = ContinuousClock.now
                let (action, connection) = state.withLock { state in
                    let action = state.machine.acquire(waiter, now: now)
                    if case .wait = action { state.continuations[waiter] = continuation }
                    if case .lease(let id) = action { return (action, state.connections[id]) }
                    return (action, nil)
                }
                switch action {
                case .lease(let id):
                    guard let connection else { preconditionFailure("An idle connection is one the pool holds.") }
                    continuation.resume(returning: Lease(id: id, connection: connection))
                case .wait(let opening):
                    if let opening { open(opening) }
                    // The handler below, or the deadline's task, may have run before the continuation was there.
                    if Task.isCancelled { withdraw(waiter, throwing: CancellationError()) }
                    if ContinuousClock.now >= deadline { giveUp(waiter) }
                case .refuseExhausted: continuation.resume(throwing: PostgresError.tooManyWaiters)
                case .refuseClosed: continuation.resume(throwing: PostgresError.poolClosed)
                }
            }
        } onCancel: {
            withdraw(waiter, throwing: CancellationError())
        }
    }

    private func giveUp(_ waiter: WaiterID) {
        let failure = state.withLock { $0.lastFailure }
        withdraw(waiter, throwing: failure ?? PostgresError.noConnectionInTime)
    }

    private func withdraw(_ waiter: WaiterID, throwing error: any Error) {
        let continuation = state.withLock { state in
            state.machine.withdraw(waiter) ? state.continuations.removeValue(forKey: waiter) : nil
        }
        continuation?.resume(throwing: error)
    }

    // MARK: Opening

    /// What is left to do once the lock is released.
    private struct FollowUp {
        var resume: (CheckedContinuation<Lease, any Error>, Lease)?
        var opening: PoolStateMachine.Opening?
        /// Freed outside the lock: that closes a socket.
        var dropped: PostgresConnection?
    }

    private func settle(_ action: PoolStateMachine.SettleAction, _ lease: Lease, _ state: inout State) -> FollowUp {
        switch action {
        case .park:
            state.connections[lease.id] = lease.connection
            return FollowUp()
        case .lease(let waiter):
            state.connections[lease.id] = lease.connection
            return FollowUp(resume: state.continuations.removeValue(forKey: waiter).map { ($0, lease) })
        case .close(let opening):
            return FollowUp(opening: opening, dropped: state.connections.removeValue(forKey: lease.id))
        }
    }

    private func carryOut(_ followUp: FollowUp) {
        if let (continuation, lease) = followUp.resume { continuation.resume(returning: lease) }
        if let opening = followUp.opening { open(opening) }
    }

    /// Connects on a thread of its own, which then becomes the connection's.
    private func open(_ opening: PoolStateMachine.Opening) {
        let configuration = configuration
        let closing = closing
        do {
            try ConnectionThread.start { [weak self] thread in
                closing.add(thread)
                defer { closing.remove(thread) }
                let outcome = Result {
                    try thread.pause(for: opening.delay)
                    return PostgresConnection(
                        core: try ConnectionCore.connect(
                            configuration: configuration, event: thread.event, isInterrupted: { thread.isStopped }),
                        thread: thread)
                }
                switch outcome {
                // Where the pool is gone, so is the connection, which stops the thread.
                case .success(let connection): self?.didOpen(opening.id, connection)
                case .failure(let error):
                    thread.stop()
                    self?.didFail(opening.id, error)
                }
            }
        } catch {
            didFail(opening.id, error)
        }
    }

    private func didOpen(_ id: ConnectionID, _ connection: PostgresConnection) {
        let followUp = state.withLock { state in
            state.lastFailure = nil
            return settle(state.machine.opened(id), Lease(id: id, connection: connection), &state)
        }
        carryOut(followUp)
    }

    private func didFail(_ id: ConnectionID, _ error: any Error) {
        let failure = error as? PostgresError ?? PostgresError(.connectionFailed, message: "No connection could be made.")
        let isFinal =
            failure.code == .configuration || failure.sqlState.map { SQLState(rawValue: $0).isFinalForConnecting } == true
        let now = ContinuousClock.now
        let fraction = Double.random(in: 0..<1)
        let (opening, failing) = state.withLock { state in
            state.lastFailure = failure
            let action = state.machine.openFailed(id, isFinal: isFinal, now: now, fraction: fraction)
            return (action.opening, action.failing.compactMap { state.continuations.removeValue(forKey: $0) })
        }
        Measure.count(.poolConnectFailures, [("pool", configuration.poolName)])
        logger.warning("No connection to PostgreSQL", metadata: ["error": "\(failure)", "cause": "\(failure.cause ?? "")"])
        failing.forEach { $0.resume(throwing: failure) }
        if let opening { open(opening) }
    }
}

extension PostgresError {
    static let poolClosed = PostgresError(.poolClosed, message: "The pool is closed.")
    static let noConnectionInTime = PostgresError(.poolExhausted, message: "No connection became free in time.")
    static let tooManyWaiters = PostgresError(.poolExhausted, message: "Too many tasks wait for a connection.")
}
