import Glibc

/// One session with the server. An actor whose executor is the session's own thread: a statement blocks that thread alone.
///
/// Lent by the pool for the time of a closure. Leave no session state behind (SET without LOCAL, LISTEN, session-wide advisory
/// locks): the next borrower gets the same session. A session left inside a transaction is dropped.
package actor PostgresConnection {
    private let core: ConnectionCore
    private let thread: ConnectionThread
    nonisolated private let reusable: SharedFlag
    nonisolated private let socket: Int32

    nonisolated package var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }

    init(core: sending ConnectionCore, thread: ConnectionThread) {
        self.thread = thread
        reusable = core.isReusable
        socket = core.handle?.socket ?? -1
        self.core = core
    }

    // The session itself is freed with `core`.
    deinit { thread.stop() }

    @discardableResult
    package func query(_ query: PostgresQuery) async throws -> [PostgresRow] {
        try await interruptible { try $0.run(query) }.rows
    }

    /// Runs a statement and says how many rows it changed.
    @discardableResult
    package func execute(_ query: PostgresQuery) async throws -> Int {
        try await interruptible { try $0.run(query) }.affectedRows
    }

    /// Sends all statements at once and answers with the rows of each. Outside a transaction the batch is one transaction:
    /// an error, which is thrown, leaves no effect of any of them. At most `ConnectionCore.maximumPipelineStatements`.
    @discardableResult
    package func pipeline(_ queries: [PostgresQuery]) async throws -> [[PostgresRow]] {
        try await interruptible { try $0.pipeline(queries) }.map(\.rows)
    }

    /// As `pipeline`, for statements whose row counts matter.
    @discardableResult
    package func executePipeline(_ queries: [PostgresQuery]) async throws -> [Int] {
        try await interruptible { try $0.pipeline(queries) }.map(\.affectedRows)
    }

    func begin(_ level: PostgresIsolation) throws { try core.begin(level) }

    func commit() throws { try core.commit() }

    func commit(after queries: [PostgresQuery]) throws { try core.commit(after: queries) }

    func rollback() { core.rollback() }

    /// Several statements in one text, without parameters; `timeout` as in `ConnectionCore`.
    func run(script: String, timeout: Duration) async throws {
        try await interruptible { _ = try $0.run(script: script, timeout: timeout) }
    }

    /// No transaction is open and, as far as is known without asking, the session works.
    nonisolated package var isReusable: Bool { reusable.isSet }

    /// Asked by the pool before it lends an idle session; one system call, no round trip. An idle session has nothing to say:
    /// what can be read is its end, or (rarely) a changed setting, and a new session is cheaper than finding out which.
    nonisolated func isUsable() -> Bool {
        guard isReusable else { return false }
        var descriptor = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
        if poll(&descriptor, 1, 0) != 0 { reusable.set(false) }
        return isReusable
    }

    /// Runs on the session's thread; cancelling the calling task wakes that thread.
    private func interruptible<R: Sendable>(_ body: (ConnectionCore) throws -> R) async throws -> R {
        let event = thread.event
        return try await withTaskCancellationHandler {
            try body(core)
        } onCancel: {
            event.signal()
        }
    }
}
