package import FoundationEssentials
package import Telemetry

/// A job as it stood when its row was read.
package struct JobRecord: Sendable {
    package let specification: JobSpecification
    package let signature: [UInt8]
    package let state: JobState
    package let epoch: Epoch
    package let priority: TaskPriority
    package let totalTasks: Int
    package let openTasks: Int
    /// Why it failed: safe to show.
    package let message: String?
    /// What the commit task recorded, from `retiring` on.
    package let commit: CommitRecord?
    package let grantsLeft: Int
    /// How often an operator had it run again after it failed.
    package let redrives: Int
    /// Of the request that it was accepted with. The row's word alone: for logs.
    package let trace: TraceContext?
    package let acceptedAt: Date
    package let startedAt: Date?
    package let finalizingAt: Date?
    package let retiringAt: Date?
    package let endingAt: Date?
    package let finishedAt: Date?

    package var id: JobID { specification.job }
    package var kind: JobKind { specification.kind }
    package var account: String { specification.account }
    package var resourceARN: String { specification.resourceARN }
    package var incarnation: UUID { specification.incarnation }
}
