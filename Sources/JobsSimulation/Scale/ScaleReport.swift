/// What a run at scale showed. Times are in milliseconds of the simulated fleet.
package struct ScaleReport: Sendable {
    package var jobs = 0
    package var tasks = 0
    package var claims = 0
    package var renewals = 0
    package var crashes = 0
    package var standstills = 0
    /// Writes of a past holder that its fence refused.
    package var refused = 0
    package var milliseconds = 0
    /// From a crash to the claim by another worker, of each task that was at work; sorted.
    package var recoveries: [Int] = []
    /// From acceptance to the first claim, of jobs of accounts with one and of accounts with a backlog; sorted.
    package var lightWaits: [Int] = []
    package var heavyWaits: [Int] = []
    /// From acceptance to publication; sorted.
    package var lightTimes: [Int] = []
    package var heavyTimes: [Int] = []
    /// Tasks done of each account with a backlog while all of them had one.
    package var heavyShares: [Int] = []
    /// Rules that were broken; empty where all held.
    package var broken: [String] = []

    package static func percentile(_ sorted: [Int], _ share: Double) -> Int {
        sorted.isEmpty ? 0 : sorted[min(sorted.count - 1, Int(Double(sorted.count) * share))]
    }

    /// Jain's index of the shares: 1 where all are the same.
    package var fairness: Double {
        let sum = heavyShares.reduce(0.0) { $0 + Double($1) }
        let squares = heavyShares.reduce(0.0) { $0 + Double($1) * Double($1) }
        return squares > 0 ? sum * sum / (Double(heavyShares.count) * squares) : 1
    }
}
