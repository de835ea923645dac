/// A task under a lease of this process.
package struct ClaimedTask: Sendable {
    package let id: TaskID
    /// As it stood right after the claim.
    package let job: JobRecord
    package let role: TaskRole
    package let ordinal: Int
    package let specification: TaskSpecification
    package let epoch: Epoch
    package let fence: Fence
    /// Which attempt this is, from 1.
    package let attempt: Int
    package let losses: Int
    package let failures: Int
    package let lease: HeldLease
    let progress = TaskProgress()
}
