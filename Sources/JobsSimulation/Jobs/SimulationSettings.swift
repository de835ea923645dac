/// The size of a simulated cluster, and what may go wrong in it. Times are milliseconds.
package struct SimulationSettings: SimulatedSettings {
    package var workers = 3
    package var slots = 2
    package var jobs = 1
    /// Work tasks of a job, and chunks of a task: up to so many.
    package var tasksMax = 2
    package var chunksMax = 2
    package var grants = 1
    /// Events before the calm in which everything must come to its end.
    package var events = 250
    package var lease = 5000
    package var trustMargin = 500
    package var uploadTimeout = 20_000
    package var retireDeadline = 60_000
    package var retryPeriod = 40_000
    package var lossesMax = 5
    /// Requests older than this never arrive: their connection has timed out.
    package var requestLifetime = 20_000
    package var clocksJump = true
    package var databaseClockErrorMax = 200_000
    package var sabotage: Sabotage?

    package init() {}

    /// A rule left out on purpose, to see that the simulation notices.
    package enum Sabotage: String, Sendable, CaseIterable {
        /// Writes are made whatever the fence.
        case fences
        /// The end of a job does not fence its tasks.
        case epochs
        /// Objects are written over.
        case writeOnce = "write-once"
        /// Keys are not asked once more before the manifest is recorded.
        case confirmation
        /// A job ends without looking for grants that nobody recorded.
        case grantList = "grant-list"
        /// A job publishes before its grants are retired.
        case retiring
        /// A worker keeps believing in a lease that it could not renew, and renews it when it wakes.
        case expiry
    }
}
