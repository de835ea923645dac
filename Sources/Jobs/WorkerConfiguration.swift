/// What one worker process is.
package struct WorkerConfiguration: Sendable {
    /// Names the process in rows and logs; unique among those that run (host, process id, a random part).
    package var name: String
    /// How many tasks it runs at once.
    package var slots: Int
    /// Threads for the work; handlers that go parallel share them.
    package var threads: Int
    /// After SIGTERM: how long running tasks may go on to the end of their chunk.
    package var grace: Duration

    package init(name: String, slots: Int = 2, threads: Int = 2, grace: Duration = .seconds(10)) {
        self.name = name
        self.slots = slots
        self.threads = threads
        self.grace = grace
    }

    /// Throws `JobError.invalid` with the name of the key that is wrong.
    package func validate() throws {
        guard !name.isEmpty else { throw JobError(.invalid, "worker.name must not be empty") }
        guard (1...1024).contains(slots) else { throw JobError(.invalid, "worker.slots must be 1 to 1024") }
        guard (1...1024).contains(threads) else { throw JobError(.invalid, "worker.threads must be 1 to 1024") }
        guard grace >= .zero else { throw JobError(.invalid, "worker.grace must not be negative") }
    }
}
