/// Where a job is.
///
/// ```
/// pending → running → finalizing → retiring → succeeded
///    │         │           │          │ (grants cannot be retired until the deadline)
///    ├─────────┴───────────┴──────────┴→ failing  → failed
///    └─────────┴───────────┴───────────→ stopping → stopped
/// failed → pending: an operator has it run again, under a new epoch
/// ```
package enum JobState: String, Sendable, CaseIterable {
    /// Accepted; its plan has not begun.
    case pending
    case running
    /// The commit task writes the manifest; no new tasks.
    case finalizing
    /// The manifest is recorded, so the outcome is decided; grants are being retired.
    case retiring
    /// The epoch is raised; grants are retired and objects collected before anybody sees the end.
    case failing
    case stopping
    case succeeded
    case failed
    case stopped

    package var isTerminal: Bool { self == .succeeded || self == .failed || self == .stopped }
    package var isEnding: Bool { self == .failing || self == .stopping }
}
