import CLibpq
import Glibc
import Synchronization

/// One session with the server, as blocking code with deadlines. Lives on its connection's thread and nowhere else.
///
/// A wait is one `poll` over the socket and the wake-up descriptor. When a deadline passes, the calling task is cancelled or the
/// socket fails, the session is dropped: the server notices within `clientCheckInterval` and ends the statement. (Cancelling through
/// `PQcancel` would block for as long as a stopped server likes.)
final class ConnectionCore {
    enum WaitFailure: Error { case deadline, interrupted, broken }

    let configuration: PostgresConfiguration
    let event: EventDescriptor
    /// Read by the pool from other threads: no transaction is open and the session works.
    let isReusable = SharedFlag(false)
    var statements = StatementCache()
    /// A transaction that begins with its first statement, in that one's round trip.
    var pendingTransaction: PostgresIsolation?
    private(set) var handle: LibpqHandle?

    init(handle: LibpqHandle, configuration: PostgresConfiguration, event: EventDescriptor) {
        self.handle = handle
        self.configuration = configuration
        self.event = event
        isReusable.set(true)
    }

    func openHandle() throws -> LibpqHandle {
        guard let handle else { throw PostgresError(.connectionLost, message: "The connection was lost earlier.") }
        return handle
    }

    func close() {
        isReusable.set(false)
        handle = nil
    }

    /// Sends and receives under one deadline; translates whatever breaks into one error and drops the session then.
    ///
    /// - Parameter autocommit: false where what is sent begins a transaction and leaves it open: nothing has taken effect then.
    func exchange<R>(
        interruptible: Bool = true, timeout: Duration? = nil, autocommit: Bool = true,
        _ body: (LibpqHandle, Exchange) throws -> R
    ) throws -> R {
        let handle = try openHandle()
        if interruptible && Task.isCancelled { throw CancellationError() }
        let exchange = Exchange(
            handle: handle, event: event, deadline: .now + (timeout ?? configuration.answerTimeout),
            isInterrupted: interruptible ? { Task.isCancelled } : { false })
        let isAutocommit = autocommit && handle.isIdle
        do {
            defer { isReusable.set(self.handle != nil && !handle.isBroken && handle.isIdle) }
            return try body(handle, exchange)
        } catch let failure as WaitFailure {
            close()
            var error = failure.error
            error.mayHaveTakenEffect = isAutocommit
            throw error
        } catch var error as PostgresError where error.code == .connectionLost {
            close()
            error.mayHaveTakenEffect = isAutocommit
            throw error
        }
    }

    /// A result that the caller may use, or the error it stands for.
    func checked(_ result: PostgresResult?) throws -> PostgresResult {
        guard let result else { throw WaitFailure.broken }
        switch result.status {
        case PGRES_COMMAND_OK, PGRES_TUPLES_OK, PGRES_EMPTY_QUERY: return result
        case PGRES_FATAL_ERROR where result.endsSession:
            var error = result.serverError
            error.code = .connectionLost
            throw error
        case PGRES_FATAL_ERROR:
            let error = result.serverError
            // libpq's own failures (the socket closed) come as results without SQLSTATE.
            if error.sqlState == nil { throw WaitFailure.broken }
            throw error
        default:
            close()
            throw PostgresError(.unexpectedResult, message: "The server's answer is of a kind that is not used here.")
        }
    }
}

extension ConnectionCore.WaitFailure {
    var error: PostgresError {
        switch self {
        case .deadline: PostgresError(.timeout, message: "The server did not answer in time.")
        case .interrupted: PostgresError(.cancelled, message: "The task was cancelled while the server was at work.")
        case .broken: PostgresError(.connectionLost, message: "The connection broke.")
        }
    }
}

/// A Boolean that one thread sets and others read.
final class SharedFlag: Sendable {
    private let value: Atomic<Bool>
    init(_ value: Bool) { self.value = Atomic(value) }
    func set(_ newValue: Bool) { value.store(newValue, ordering: .releasing) }
    var isSet: Bool { value.load(ordering: .acquiring) }
}
