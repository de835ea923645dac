/// What a task of a job is for. Plan, commit and clean-up are tasks like any other, with lease and fence.
package enum TaskRole: String, Sendable, CaseIterable {
    case plan, work, commit, cleanup
}

/// Where a task is.
package enum TaskState: String, Sendable, CaseIterable {
    /// Waits for a worker, from its `not_before` on.
    case ready
    /// Some worker holds its lease, or held it until the lease ran out.
    case running
    case done
    /// Its error ended the job.
    case failed
    /// The job failed or was stopped. A lease that still runs is remembered: clean-up waits for its end.
    case cancelled

    package var isTerminal: Bool { self == .done || self == .failed || self == .cancelled }
}
