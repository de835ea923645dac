/// One task of a plan.
package struct TaskSpecification: Sendable, Hashable {
    /// Which part of the job's input this task has (ranges, partitions): never a path, key or role, which come from
    /// the signed specification, and never a value from the data.
    package let input: JobJSON
    /// How many bytes of input it will read, for progress; 0 where unknown.
    package let expectedBytes: Int64

    package init(input: JobJSON, expectedBytes: Int64 = 0) {
        self.input = input
        self.expectedBytes = expectedBytes
    }

    /// A plan with more tasks is refused.
    package static let tasksMax = 10_000
}
