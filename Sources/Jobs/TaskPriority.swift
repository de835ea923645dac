/// How urgent a task is: the lower, the sooner. A job has 1 to 9; what ends one has 0.
package struct TaskPriority: RawRepresentable, Sendable, Hashable, Comparable, CustomStringConvertible {
    package let rawValue: Int

    package init(rawValue: Int) {
        self.rawValue = rawValue
    }

    /// What an operator may give a job.
    package static let ofJobs = 1...9
    package static let standard = TaskPriority(rawValue: 5)
    /// Commit and clean-up: they free grants and slots, so nothing is more urgent and no account's limit holds them up.
    package static let ending = TaskPriority(rawValue: 0)

    package static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
    package var description: String { String(rawValue) }
}
