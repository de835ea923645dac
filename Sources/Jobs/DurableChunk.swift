/// A chunk that is recorded: its object exists whole, and the task that is taken over goes on behind it.
package struct DurableChunk: Sendable, Hashable {
    /// The ordinal of its task in the plan.
    package let taskOrdinal: Int
    /// Its own, from 0 and without gaps within the task.
    package let ordinal: Int
    /// The attempt that sealed it; not always the one that reads this.
    package let fence: Fence
    package let object: String
    /// Where in the input it ended.
    package let inputPosition: JobJSON
    /// What pins the sealed bytes: lengths, frame count, digests, key ARN.
    package let detail: JobJSON
    package let bytes: Int64
    package let rows: Int64
}
