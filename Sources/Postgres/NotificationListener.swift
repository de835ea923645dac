import Logging

/// A session that only listens, on a thread of its own: connects, listens, hands on what comes, and starts again when it breaks.
struct NotificationListener: Sendable {
    /// A server that vanished without a word is found out by asking it something this often.
    static let defaultProbeInterval: Duration = .seconds(15)
    /// Notifications that nobody has taken yet; beyond it the oldest go.
    static let maximumUnread = 1024

    let configuration: PostgresConfiguration
    let channel: String
    var probeInterval = Self.defaultProbeInterval
    let logger: Logger
    let continuation: AsyncStream<PostgresNotification>.Continuation

    /// Runs on `thread` until that is stopped.
    func run(on thread: ConnectionThread) {
        var failures = 0
        while !thread.isStopped {
            do {
                try thread.pause(for: Backoff.reconnecting.delay(afterFailures: failures, fraction: .random(in: 0..<1)))
                let core = try ConnectionCore.connect(
                    configuration: configuration, event: thread.event, isInterrupted: { thread.isStopped })
                _ = try core.run(script: "LISTEN \(quotedChannel)")
                failures = 0
                // Whatever was sent before this moment was not heard.
                continuation.yield(PostgresNotification(channel: channel, payload: "", processID: 0))
                try handOn(from: core, thread)
            } catch {
                failures += 1
                if !thread.isStopped { logger.warning("Lost the listening session", metadata: ["error": "\(error)"]) }
            }
        }
        continuation.finish()
    }

    private func handOn(from core: ConnectionCore, _ thread: ConnectionThread) throws {
        while !thread.isStopped {
            let handle = try core.openHandle()
            while let notification = handle.nextNotification() { continuation.yield(notification) }
            let exchange = Exchange(
                handle: handle, event: core.event, deadline: .now + probeInterval, isInterrupted: { thread.isStopped })
            do {
                try exchange.wait(reading: true, writing: false)
            } catch ConnectionCore.WaitFailure.deadline {
                _ = try core.run(script: "SELECT 1")
                continue
            }
            if !handle.consumeInput() { throw ConnectionCore.WaitFailure.broken.error }
        }
    }

    private var quotedChannel: String {
        "\"" + channel.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"") + "\""
    }
}

extension PostgresPool {
    /// Notifications on a channel, over a session beside the pool's own, for as long as the stream is read or until the pool closes.
    ///
    /// Yields a notification with an empty payload whenever LISTEN has taken effect, at first and after each reconnect: what was
    /// sent before may have been missed, so look at the tables then. Unread ones beyond `NotificationListener.maximumUnread`
    /// push out the oldest.
    package func notifications(on channel: String) -> AsyncStream<PostgresNotification> {
        let (stream, continuation) = AsyncStream.makeStream(
            of: PostgresNotification.self, bufferingPolicy: .bufferingNewest(NotificationListener.maximumUnread))
        let listener = NotificationListener(
            configuration: configuration, channel: channel, logger: logger, continuation: continuation)
        let closing = closing
        do {
            let thread = try ConnectionThread.start { thread in
                closing.add(thread)
                defer { closing.remove(thread) }
                listener.run(on: thread)
            }
            continuation.onTermination = { _ in thread.stop() }
        } catch {
            logger.error("Cannot listen", metadata: ["error": "\(error)"])
            continuation.finish()
        }
        return stream
    }
}
