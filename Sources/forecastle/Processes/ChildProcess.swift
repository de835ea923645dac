import Foundation
import Glibc
import Synchronization

/// A process that we started. It has a process group of its own, so that Ctrl-C reaches us alone and we stop our
/// children in order.
final class ChildProcess: Sendable {
    struct Failure: Error, CustomStringConvertible {
        var description: String
    }

    let name: String
    let pid: pid_t
    private let ended = Mutex<(status: Int32?, waiters: [CheckedContinuation<Int32, Never>])>((nil, []))

    private init(name: String, pid: pid_t) {
        self.name = name
        self.pid = pid
    }

    /// Starts `executable` with its output appended to a log file and nothing on standard input.
    static func start(
        name: String, executable: String, arguments: [String], environment: [String: String], log: String
    ) async throws -> ChildProcess {
        let pid = try await SpawnThread.run {
            try spawn(executable: executable, arguments: arguments, environment: environment, log: log)
        }
        let child = ChildProcess(name: name, pid: pid)
        let waiter = Thread { child.waitForEnd() }
        waiter.name = "wait \(name)"
        waiter.start()
        return child
    }

    private static func spawn(
        executable: String, arguments: [String], environment: [String: String], log: String
    ) throws -> pid_t {
        try SpawnedProgram.start(
            executable, arguments, environment: environment, flags: POSIX_SPAWN_SETPGROUP
        ) { actions, attributes in
            posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
            posix_spawn_file_actions_addopen(&actions, 1, log, O_WRONLY | O_CREAT | O_APPEND, 0o600)
            posix_spawn_file_actions_adddup2(&actions, 1, 2)
            posix_spawnattr_setpgroup(&attributes, 0)
        }
    }

    private func waitForEnd() {
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0 && errno == EINTR {}
        let waiters = ended.withLock { state in
            state.status = status
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume(returning: status) }
    }

    var hasEnded: Bool { ended.withLock { $0.status != nil } }

    /// Waits for its end and returns what `waitpid` said.
    @discardableResult
    func wait() async -> Int32 {
        await withCheckedContinuation { continuation in
            let status = ended.withLock { state in
                if state.status == nil { state.waiters.append(continuation) }
                return state.status
            }
            if let status { continuation.resume(returning: status) }
        }
    }

    func signal(_ signal: Int32) {
        ended.withLock { state in
            // Under the lock: once it was waited for, its id may be another process's.
            if state.status == nil { kill(pid, signal) }
        }
    }

    /// Asks with `signal`, waits for `grace`, then kills.
    func stop(with signal: Int32 = SIGTERM, grace: Duration) async {
        self.signal(signal)
        await withTaskGroup { group in
            group.addTask { _ = await self.wait() }
            group.addTask {
                try? await Task.sleep(for: grace)
                if !Task.isCancelled { self.signal(SIGKILL) }
            }
            await group.next()
            group.cancelAll()
        }
        await wait()
    }

    /// `exited with 1` or `was ended by signal 9`.
    static func describe(_ status: Int32) -> String {
        let signal = status & 0x7F
        return signal == 0 ? "exited with \((status >> 8) & 0xFF)" : "was ended by signal \(signal)"
    }
}
