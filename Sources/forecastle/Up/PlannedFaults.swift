import Synchronization

/// Fault points that processes of a cluster get at their next start, `point[:count]=action`.
final class PlannedFaults: Sendable {
    private struct Plan {
        var faults: String
        var stays: Bool
    }

    private let plans = Mutex<[String: Plan]>([:])

    /// A fault happens to the next process of that name only, unless it stays: the one that takes its place must go on.
    func plan(_ faults: String, for process: String, stays: Bool = false) {
        plans.withLock { $0[process] = Plan(faults: faults, stays: stays) }
    }

    func clear(_ process: String) { plans.withLock { $0[process] = nil } }

    func take(_ process: String) -> String? {
        plans.withLock { plans in
            guard let plan = plans[process] else { return nil }
            if !plan.stays { plans[process] = nil }
            return plan.faults
        }
    }
}
