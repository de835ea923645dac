import Glibc

/// `posix_spawn` with Swift's strings.
enum SpawnedProgram {
    /// Starts `executable` and answers its process id. `flags` and what `configure` adds are the caller's.
    static func start(
        _ executable: String, _ arguments: [String], environment: [String: String], flags: Int32,
        configure: (inout posix_spawn_file_actions_t, inout posix_spawnattr_t) -> Void
    ) throws -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // What we ignore or hold back ourselves (a shell's background jobs ignore SIGINT) would stay so in the child until it
        // sets a handler of its own, and a request to end that comes before would be lost.
        var signals = sigset_t()
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        for signal in [SIGTERM, SIGINT, SIGHUP, SIGQUIT] { sigaddset(&signals, signal) }
        posix_spawnattr_setsigdefault(&attributes, &signals)
        posix_spawnattr_setflags(&attributes, Int16(flags | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK))
        configure(&actions, &attributes)

        var arguments = ([executable] + arguments).map { strdup($0) } + [nil]
        var variables = environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer {
            for pointer in arguments { free(pointer) }
            for pointer in variables { free(pointer) }
        }
        var pid: pid_t = 0
        let result = posix_spawn(&pid, executable, &actions, &attributes, &arguments, &variables)
        guard result == 0 else {
            throw ChildProcess.Failure(description: "could not start \(executable): \(String(cString: strerror(result)))")
        }
        return pid
    }
}
