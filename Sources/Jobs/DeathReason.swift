/// Why a job died that no customer's mistake ended: an operator may have it run again once the cause is mended.
package enum DeathReason: String, Sendable, CaseIterable {
    /// A task cost too many workers their lease: it crashes them, or exhausts their memory.
    case workersLost = "workers-lost"
    /// A server or the network failed it until the deadline.
    case retriesExhausted = "retries-exhausted"
    /// Its result was recorded and could not be published, or its grants not retired, until the deadline.
    case notPublished = "not-published"
}
