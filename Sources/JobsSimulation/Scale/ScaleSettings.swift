/// A fleet and its customers. Times are in milliseconds.
package struct ScaleSettings: Sendable {
    package var workers = 1000
    package var slots = 4
    package var accounts = 1_000_000
    /// Jobs that arrive within `arrivalPeriod`.
    package var jobs = 100_000
    /// Accounts that have a backlog from the beginning, of so many jobs each, as one who moves a year's data has.
    package var heavyAccounts = 50
    package var heavyJobs = 400
    package var tasksMax = 6
    package var taskMilliseconds = 4000
    package var arrivalPeriod = 120_000
    package var lease = 5000
    package var beat = 500
    /// Of each worker, on average; it is back after `restart`.
    package var millisecondsBetweenCrashes = 600_000
    package var restart = 3000
    /// Of the workers that crash, one in so many only stands still for two leases and goes on.
    package var standstillShare = 4
    package var trustMargin = 500
    package var seed: UInt64 = 1

    package init() {}
}
