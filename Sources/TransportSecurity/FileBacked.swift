import Glibc
package import Logging
import Synchronization

/// Something made of files, made again when one of them changes. What can't be made leaves the former one in place.
///
/// Nobody watches: who asks for the value finds out, at most once in an interval. So a renewed certificate is in use from the next
/// connection on, without a signal or a restart.
package final class FileBacked<Value: Sendable>: Sendable {
    package static var defaultInterval: Duration { .seconds(1) }

    private struct Stamp: Equatable {
        var inode: UInt64 = 0
        var bytes: Int64 = 0
        var modified: [Int] = []
    }

    private struct State {
        var value: Value
        /// Counts the values; whoever made something of one sees by it that there is another.
        var generation = 1
        var stamps: [Stamp]
        var lookedAt: ContinuousClock.Instant
        /// What was said last about files that can't be used.
        var complaint: String?
    }

    private let paths: [String]
    private let interval: Duration
    private let make: @Sendable () throws -> Value
    private let logger: Logger
    private let state: Mutex<State>

    /// Throws what `make` throws where the files can't be used at the start.
    package init(
        _ paths: [String], interval: Duration = defaultInterval, logger: Logger, make: @escaping @Sendable () throws -> Value
    ) throws {
        self.paths = paths
        self.interval = interval
        self.make = make
        self.logger = logger
        let stamps = Self.stamps(paths)
        state = Mutex(State(value: try make(), stamps: stamps, lookedAt: .now))
    }

    package var current: (value: Value, generation: Int) {
        state.withLock { state in
            let now = ContinuousClock.now
            guard state.lookedAt.duration(to: now) >= interval else { return (state.value, state.generation) }
            state.lookedAt = now
            // Before they are read: what is written meanwhile is seen the next time.
            let stamps = Self.stamps(paths)
            guard stamps != state.stamps else { return (state.value, state.generation) }
            do {
                state.value = try make()
                state.generation += 1
                state.stamps = stamps
                state.complaint = nil
                logger.notice("certificates were read again", metadata: ["files": "\(paths)"])
            } catch {
                // Perhaps the key is new and its certificate not there yet. The stamps stay, so that this is tried again.
                let complaint = "\(error)"
                if complaint != state.complaint {
                    logger.error(
                        "changed certificates can't be used; the former ones stay in use", metadata: ["error": "\(complaint)"])
                }
                state.complaint = complaint
            }
            return (state.value, state.generation)
        }
    }

    private static func stamps(_ paths: [String]) -> [Stamp] {
        paths.map { path in
            var status = stat()
            guard stat(path, &status) == 0 else { return Stamp() }
            return Stamp(
                inode: UInt64(status.st_ino), bytes: Int64(status.st_size),
                modified: [status.st_mtim.tv_sec, status.st_mtim.tv_nsec])
        }
    }
}
