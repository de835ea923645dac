import Foundation
import Glibc
import Synchronization

/// One run of a program: time, CPU time and peak memory as the kernel accounts for it (`wait4`).
///
/// The peak is not below this process's own memory at the time: the kernel counts from before `exec`.
struct MeasuredProcess: Sendable {
    enum Input: Sendable {
        case nothing
        /// A pipe into which the file flows.
        case pipe(fromFile: String)
    }

    enum Output: Sendable {
        case file(String)
        /// A pipe that is read until its end.
        case pipe
    }

    struct Outcome: Sendable {
        let wallSeconds: Double
        let cpuSeconds: Double
        let peakBytes: Int
        /// What came out of the pipe, where there is one.
        let pipedBytes: Int?

        func sample(bytes: Int) -> BenchSample {
            BenchSample(wallSeconds: wallSeconds, cpuSeconds: cpuSeconds, bytes: bytes, peakBytes: peakBytes)
        }
    }

    let executable: String
    let arguments: [String]
    var input = Input.nothing
    var output = Output.file("/dev/null")
    /// File for its standard error, shown when it fails.
    let log: String

    /// No run takes longer; a program that hangs is killed.
    private static let deadline = Duration.seconds(600)

    /// The program that runs now, for whoever ends it early.
    private static let running = Mutex<pid_t?>(nil)

    static func killRunning() {
        // Under the lock: once it was waited for, its id may be another process's.
        running.withLock { if let pid = $0 { kill(pid, SIGKILL) } }
    }

    /// Runs the program to its end. Throws with what it said on standard error where it fails.
    func run() async throws -> Outcome {
        let watchdog = Task {
            try await Task.sleep(for: Self.deadline)
            Self.killRunning()
        }
        defer { watchdog.cancel() }
        return try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread { continuation.resume(with: Result { try runHere() }) }
        }
    }

    private func runHere() throws -> Outcome {
        var feed: PipePump?
        if case .pipe(let file) = input { feed = try PipePump.feeding(file: file) }
        var drain: PipePump?
        if case .pipe = output { drain = try PipePump.draining() }
        let pumps = [feed, drain].compactMap { $0 }

        let started = ContinuousClock.now
        let spawned = Result {
            try Self.running.withLock { running in running = try spawn(feed?.programsEnd, drain?.programsEnd) }
        }
        for pump in pumps {
            close(pump.programsEnd)
            // Also where no program started: the pump then ends at once and closes its own end.
            pump.start()
        }
        try spawned.get()
        let usage = Self.waitForEnd()
        let wall = ContinuousClock.now - started
        for pump in pumps { _ = pump.finish() }
        guard usage.status == 0 else { throw failure(usage.status) }
        return Outcome(
            wallSeconds: wall / .seconds(1),
            cpuSeconds: Self.seconds(usage.usage.ru_utime) + Self.seconds(usage.usage.ru_stime),
            peakBytes: usage.usage.ru_maxrss * 1024, pipedBytes: drain?.finish())
    }

    private func spawn(_ input: Int32?, _ output: Int32?) throws -> pid_t {
        try SpawnedProgram.start(
            executable, arguments, environment: ProcessInfo.processInfo.environment,
            flags: POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK
        ) { actions, attributes in
            if let input {
                posix_spawn_file_actions_adddup2(&actions, input, 0)
            } else {
                posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
            }
            if let output {
                posix_spawn_file_actions_adddup2(&actions, output, 1)
            } else if case .file(let path) = self.output {
                posix_spawn_file_actions_addopen(&actions, 1, path, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
            }
            posix_spawn_file_actions_addopen(&actions, 2, log, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
            var defaults = sigset_t()
            sigemptyset(&defaults)
            for signal in [SIGINT, SIGTERM, SIGPIPE] { sigaddset(&defaults, signal) }
            posix_spawnattr_setsigdefault(&attributes, &defaults)
            // Threads of ours block signals that programs rely on: an alarm ends `openssl speed`.
            var none = sigset_t()
            sigemptyset(&none)
            posix_spawnattr_setsigmask(&attributes, &none)
        }
    }

    private static func waitForEnd() -> (status: Int32, usage: rusage) {
        var (status, usage, info) = (Int32(0), rusage(), siginfo_t())
        let pid = running.withLock { $0! }
        // It stays a zombie while the lock is free, so that nobody kills another process of its id.
        while waitid(P_PID, id_t(pid), &info, WEXITED | WNOWAIT) < 0 && errno == EINTR {}
        running.withLock { running in
            while wait4(pid, &status, 0, &usage) < 0 && errno == EINTR {}
            running = nil
        }
        return (status, usage)
    }

    private static func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }

    private func failure(_ status: Int32) -> ChildProcess.Failure {
        let said = (try? String(contentsOfFile: log, encoding: .utf8)).map { String($0.suffix(500)) } ?? ""
        return ChildProcess.Failure(
            description: "\(executable) \(arguments.first ?? "") \(ChildProcess.describe(status)): \(said)")
    }
}
