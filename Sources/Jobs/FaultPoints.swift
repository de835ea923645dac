import Glibc
import Synchronization

/// Calls a hook at each fault point; inert (one nil check) unless one is set.
package struct FaultPoints: Sendable {
    package typealias Hook = @Sendable (FaultPoint) async throws -> Void
    private let hook: Hook?

    package static let none = FaultPoints(nil)

    package init(_ hook: Hook?) {
        self.hook = hook
    }

    package func reach(_ point: FaultPoint) async throws {
        guard let hook else { return }
        try await hook(point)
    }
}

extension FaultPoints {
    /// From configuration (`faults.points`): `point[:count]=action` behind commas, where the action (`kill`,
    /// `stop`, `fail`) happens when the point is reached for the count-th time: `chunk.recorded:3=kill`.
    ///
    /// Throws `JobError.invalid` for anything that it cannot read: a fault that silently does not happen proves nothing.
    package init(configuration: String) throws {
        let plan = try configuration.split(separator: ",").map { try PlannedFault(String($0)) }
        guard !plan.isEmpty else {
            self = .none
            return
        }
        let counts = ReachCounts()
        self.init { point in
            let count = counts.next(point)
            for fault in plan where fault.point == point && fault.count == count {
                try fault.happen()
            }
        }
    }

    final class ReachCounts: Sendable {
        private let counts = Mutex<[FaultPoint: Int]>([:])

        func next(_ point: FaultPoint) -> Int {
            counts.withLock {
                $0[point, default: 0] += 1
                return $0[point, default: 0]
            }
        }
    }

    struct PlannedFault {
        enum Action: String { case kill, stop, fail }
        let point: FaultPoint
        let count: Int
        let action: Action

        init(_ text: String) throws {
            let sides = text.split(separator: "=", omittingEmptySubsequences: false)
            guard sides.count == 2, let action = Action(rawValue: String(sides[1])) else {
                throw JobError(.invalid, "faults: an entry is point[:count]=kill|stop|fail.")
            }
            let place = sides[0].split(separator: ":", omittingEmptySubsequences: false)
            let point = FaultPoint(String(place[0]))
            guard FaultPoint.all.contains(point) else { throw JobError(.invalid, "faults: no such point: \(point).") }
            guard place.count <= 2, let count = place.count == 2 ? Int(place[1]) : 1, count > 0 else {
                throw JobError(.invalid, "faults: the count of \(point) is a number from 1.")
            }
            (self.point, self.count, self.action) = (point, count, action)
        }

        func happen() throws {
            switch action {
            case .kill: kill(getpid(), SIGKILL)
            // To this thread: sent to the process, another would take it, and this one go on for a moment.
            case .stop: raise(SIGSTOP)
            case .fail: throw JobError.retriable("A fault was injected at \(point).")
            }
        }
    }
}
