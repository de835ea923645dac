import Glibc
package import Logging
import Synchronization

extension FaultPoints {
    /// Points of the configuration, and of a file that people write while the process runs; both inert where they are empty.
    ///
    /// The file is looked at whenever a point is reached, and counts begin anew when it changes. It goes away before the
    /// process is killed or stopped by it, so that the one which takes its place goes on. A file that others may write is
    /// not believed.
    package init(configuration: String, controlFile: String, logger: Logger) throws {
        let fixed = try FaultPoints(configuration: configuration)
        guard !controlFile.isEmpty else {
            self = fixed
            return
        }
        let control = ControlledFaults(path: controlFile, logger: logger)
        self.init { point in
            try await fixed.reach(point)
            try control.reach(point)
        }
    }

    private final class ControlledFaults: Sendable {
        /// By which a file is known to be the same.
        private struct Identity: Equatable {
            var inode: UInt64
            var seconds: Int
            var nanoseconds: Int
            var size: Int
        }

        private struct State {
            var identity: Identity?
            var plan: [PlannedFault] = []
            var counts = ReachCounts()
        }

        private let path: String
        private let logger: Logger
        private let state = Mutex(State())
        private static let bytesMax = 4096

        init(path: String, logger: Logger) {
            self.path = path
            self.logger = logger
        }

        func reach(_ point: FaultPoint) throws {
            let due = state.withLock { state -> [PlannedFault] in
                load(&state)
                guard !state.plan.isEmpty else { return [] }
                let count = state.counts.next(point)
                return state.plan.filter { $0.point == point && $0.count == count }
            }
            for fault in due {
                if fault.action != .fail { unlink(path) }
                try fault.happen()
            }
        }

        private func load(_ state: inout State) {
            var status = stat()
            guard stat(path, &status) == 0 else {
                state.identity = nil
                state.plan = []
                return
            }
            let identity = Identity(
                inode: UInt64(status.st_ino), seconds: status.st_mtim.tv_sec, nanoseconds: status.st_mtim.tv_nsec,
                size: Int(status.st_size))
            guard identity != state.identity else { return }
            state = State(identity: identity)
            guard status.st_mode & 0o077 == 0, status.st_uid == geteuid(), status.st_size <= Self.bytesMax else {
                logger.warning("The file of fault points is another's, open to others or too long; it is not believed.")
                return
            }
            do {
                state.plan = try text().split(separator: ",").map { try PlannedFault(String($0)) }
                logger.warning("Fault points were set.", metadata: ["points": "\(state.plan.count)"])
            } catch {
                logger.error("The file of fault points cannot be read.", metadata: ["error": "\(error)"])
            }
        }

        private func text() throws -> String {
            let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
            guard descriptor >= 0 else { throw JobError(.invalid, "faults: the file cannot be opened.") }
            defer { close(descriptor) }
            var bytes = [UInt8](repeating: 0, count: Self.bytesMax)
            let count = read(descriptor, &bytes, bytes.count)
            return String(decoding: bytes[..<max(0, count)], as: UTF8.self).split { $0.isWhitespace }.joined()
        }
    }
}
