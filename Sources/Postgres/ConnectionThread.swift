import Glibc
import Synchronization

/// One POSIX thread that runs the jobs of one actor: libpq calls and `poll` block it and nothing else.
///
/// The thread keeps this object alive until `stop()`; whoever owns it (the connection, a listener) stops it in `deinit`.
final class ConnectionThread: SerialExecutor {
    /// Enough for libpq and TLS below it; the default of 8 MiB a connection would be address space for nothing.
    private static let stackBytes = 1 << 20

    private struct State {
        var jobs: [UnownedJob] = []
        var isSleeping = false
        var isStopped = false
        var identifier: pthread_t?
    }

    private final class Start {
        let thread: ConnectionThread
        let first: @Sendable (ConnectionThread) -> Void
        init(thread: ConnectionThread, first: @escaping @Sendable (ConnectionThread) -> Void) {
            self.thread = thread
            self.first = first
        }
    }

    let event: EventDescriptor
    private let state = Mutex(State())

    private init() throws { event = try EventDescriptor() }

    /// Starts a thread that first runs `first` (connecting) and then the jobs of the actor that was built on it.
    @discardableResult
    static func start(first: @escaping @Sendable (ConnectionThread) -> Void) throws -> ConnectionThread {
        let thread = try ConnectionThread()
        let start = Unmanaged.passRetained(Start(thread: thread, first: first))
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        defer { pthread_attr_destroy(&attributes) }
        pthread_attr_setstacksize(&attributes, stackBytes)
        pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        var identifier = pthread_t()
        let failure = pthread_create(&identifier, &attributes, connectionThreadMain, start.toOpaque())
        guard failure == 0 else {
            start.release()
            throw PostgresError(.connectionFailed, message: "No thread could be started for a connection (errno \(failure)).")
        }
        return thread
    }

    fileprivate static func enter(_ context: UnsafeMutableRawPointer) {
        let start = Unmanaged<Start>.fromOpaque(context).takeRetainedValue()
        let thread = start.thread
        thread.state.withLock { $0.identifier = pthread_self() }
        start.first(thread)
        while let batch = thread.nextJobs() {
            for job in batch { job.runSynchronously(on: thread.asUnownedSerialExecutor()) }
        }
    }

    var isStopped: Bool { state.withLock { $0.isStopped } }

    /// Ends the thread when its queue is empty, and wakes it if it waits on the network.
    func stop() {
        state.withLock { $0.isStopped = true }
        event.signal()
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let mustWake = state.withLock { state in
            state.jobs.append(job)
            defer { state.isSleeping = false }
            return state.isSleeping
        }
        if mustWake { event.signal() }
    }

    func asUnownedSerialExecutor() -> UnownedSerialExecutor { UnownedSerialExecutor(ordinary: self) }

    func checkIsolated() {
        precondition(
            state.withLock { $0.identifier.map { pthread_equal($0, pthread_self()) != 0 } ?? false },
            "State of a connection is touched by its own thread alone.")
    }

    /// The queued jobs, or nil when stopped. The queue is looked at under the lock before each sleep, so a signal
    /// that a job's own wait has consumed loses nothing.
    private func nextJobs() -> [UnownedJob]? {
        while true {
            let next: [UnownedJob]? = state.withLock { state in
                if state.jobs.isEmpty {
                    state.isSleeping = !state.isStopped
                    return state.isStopped ? nil : []
                }
                let jobs = state.jobs
                state.jobs.removeAll()
                return jobs
            }
            guard let next else { return nil }
            if !next.isEmpty { return next }
            event.wait()
        }
    }
}

private func connectionThreadMain(_ context: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    if let context { ConnectionThread.enter(context) }
    return nil
}

extension ConnectionThread {
    /// Sleeps on its own thread until the time has passed. Throws `.poolClosed` when stopped meanwhile.
    func pause(for duration: Duration) throws {
        let end = ContinuousClock.now + duration
        while !isStopped {
            let remaining = end - .now
            guard remaining > .zero else { return }
            var descriptor = pollfd(fd: event.descriptor, events: Int16(POLLIN), revents: 0)
            if poll(&descriptor, 1, remaining.pollMilliseconds) > 0 { event.wait() }
        }
        throw PostgresError.poolClosed
    }
}
