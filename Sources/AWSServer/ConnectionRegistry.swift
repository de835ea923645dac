import NIOCore
import Synchronization

/// Keeps the number of open connections within its bound: one more closes the one that has waited longest without a
/// request being answered, so that ten thousand idle sockets do not keep a working client out.
final class ConnectionRegistry: Sendable {
    private struct Entry {
        let channel: any Channel
        /// Order in which connections became dispensable; nil for one whose request is being answered.
        var waitingSince: UInt64?
    }

    private struct State {
        var entries: [ObjectIdentifier: Entry] = [:]
        var clock: UInt64 = 0

        mutating func tick() -> UInt64 {
            clock += 1
            return clock
        }
    }

    private let limit: Int
    private let state = Mutex(State())

    init(limit: Int) { self.limit = limit }

    var count: Int { state.withLock { $0.entries.count } }

    /// Admits a connection and returns the one to close for it: another, or itself where all others are at work.
    func admit(_ channel: any Channel) -> (any Channel)? {
        state.withLock { state in
            let now = state.tick()
            var surplus: (any Channel)?
            if state.entries.count >= limit {
                let waiting = state.entries.filter { $0.value.waitingSince != nil }
                guard let oldest = waiting.min(by: { ($0.value.waitingSince ?? 0) < ($1.value.waitingSince ?? 0) }) else {
                    return channel
                }
                surplus = oldest.value.channel
                state.entries[oldest.key] = nil
            }
            state.entries[ObjectIdentifier(channel)] = Entry(channel: channel, waitingSince: now)
            return surplus
        }
    }

    func setWorking(_ channel: any Channel) {
        state.withLock { $0.entries[ObjectIdentifier(channel)]?.waitingSince = nil }
    }

    func setWaiting(_ channel: any Channel) {
        state.withLock { state in
            let now = state.tick()
            state.entries[ObjectIdentifier(channel)]?.waitingSince = now
        }
    }

    func remove(_ channel: any Channel) {
        state.withLock { $0.entries[ObjectIdentifier(channel)] = nil }
    }
}
