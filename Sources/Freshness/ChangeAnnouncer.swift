package import Logging
package import Postgres
import ServiceLifecycle
import Synchronization

/// Tells the other authority processes over one database what has changed, by NOTIFY, and hears what they tell.
///
/// Announced after the commit and in a transaction of its own: NOTIFY takes a lock of the whole server until the commit's end, and would put all
/// deciding transactions in one line. Losing an announcement costs a vain decision, not safety. A beat keeps the
/// channel from being silent; a process that does not hear even its own stops believing its caches.
package final class ChangeAnnouncer: Service {
    package static let channel = "forecastle_security"
    package static let beat: Duration = .seconds(1)
    /// Changes that wait to be announced; beyond it "everything" stands for them.
    static let maximumPending = 1000
    private static let beatPayload = "beat"

    private let pool: PostgresPool
    private let board: CacheBoard
    private let logger: Logger
    private let pending = Mutex<Set<Scope>>([])
    private let wake: AsyncStream<Void>
    private let waker: AsyncStream<Void>.Continuation
    private let relay: @Sendable (Set<Scope>) async -> Void

    /// - Parameter relay: told of this process's own changes, as they are announced.
    package init(
        pool: PostgresPool, board: CacheBoard, logger: Logger, relay: @escaping @Sendable (Set<Scope>) async -> Void = { _ in }
    ) {
        self.pool = pool
        self.board = board
        self.logger = logger
        self.relay = relay
        (wake, waker) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
        board.onChange { [weak self] scope in self?.enqueue(scope) }
    }

    private func enqueue(_ scope: Scope) {
        pending.withLock { pending in
            pending.insert(scope)
            if pending.count > Self.maximumPending { pending = [.everything] }
        }
        waker.yield()
    }

    package func run() async throws {
        await cancelWhenGracefulShutdown {
            await withTaskGroup(of: Void.self) { group in
                group.addTask { await self.listen() }
                group.addTask { await self.speak() }
                group.addTask {
                    while !Task.isCancelled {
                        try? await Task.sleep(for: Self.beat)
                        self.board.forgetIfSilent()
                        self.waker.yield()
                    }
                }
                await group.waitForAll()
            }
        }
        board.forgetAll()
    }

    private func listen() async {
        for await notification in pool.notifications(on: Self.channel) {
            if notification.payload.isEmpty {
                // Listening anew: something may have been missed.
                board.forgetAll()
            } else if notification.payload != Self.beatPayload {
                board.forget(Scope(name: notification.payload))
            }
            board.heard()
        }
    }

    private func speak() async {
        var lastBeat = ContinuousClock.now
        for await _ in wake {
            let scopes = pending.withLock { pending in
                defer { pending = [] }
                return pending
            }
            let isBeatDue = lastBeat.duration(to: .now) >= Self.beat / 2
            guard !scopes.isEmpty || isBeatDue else { continue }
            do {
                try await pool.query(
                    "SELECT pg_notify(\(Self.channel), payload) FROM unnest(\(scopes.map(\.name) + [Self.beatPayload])) AS payload"
                )
                lastBeat = .now
            } catch {
                logger.warning("changes were not announced", metadata: ["error": "\(error)"])
            }
            if !scopes.isEmpty { await relay(scopes) }
        }
    }
}
