/// The regular points in time of a frequency: point 0 is at or just after 1970-01-01, aligned to the boundary.
///
/// Steps of several units are counted from 1970 too (from its first Monday for weeks), so that the grid depends on the settings alone
/// and never on the data. A timestamp belongs to the last point at or before it.
package struct TimeGrid: Sendable, Hashable {
    package let frequency: Frequency
    package let boundary: TimeAlignmentBoundary

    private enum Step: Hashable {
        case seconds(Int, anchor: Int)
        case months(Int, anchor: Int, dayOfMonth: Int)
    }
    private let step: Step

    package init(frequency: Frequency, boundary: TimeAlignmentBoundary = .none) {
        self.frequency = frequency
        self.boundary = boundary
        let unitSeconds = Int(frequency.unit.seconds)
        switch frequency.unit {
        case .minute, .hour:
            step = .seconds(frequency.count * unitSeconds, anchor: 0)
        case .day:
            step = .seconds(frequency.count * unitSeconds, anchor: (boundary.hour ?? 0) * 3600)
        case .week:
            let firstMonday = 4  // 1970-01-05
            let day = firstMonday + (boundary.dayOfWeek?.offset ?? 0)
            step = .seconds(frequency.count * unitSeconds, anchor: day * Int(secondsInDay))
        case .month:
            step = .months(frequency.count, anchor: 1970 * 12, dayOfMonth: boundary.dayOfMonth ?? 1)
        case .year:
            step = .months(12, anchor: 1970 * 12 + (boundary.month ?? 1) - 1, dayOfMonth: boundary.dayOfMonth ?? 1)
        }
    }

    /// The index of the point that a timestamp belongs to.
    package func index(of timestamp: EpochSeconds) -> Int {
        switch step {
        case .seconds(let length, let anchor):
            return (Int(timestamp) - anchor).dividedDown(by: length)
        case .months(let length, let anchor, let dayOfMonth):
            let date = CivilDate(daysSinceEpoch: Int(timestamp).dividedDown(by: Int(secondsInDay)))
            let month = date.year * 12 + date.month - 1 - (date.day < dayOfMonth ? 1 : 0)
            return (month - anchor).dividedDown(by: length)
        }
    }

    package func timestamp(at index: Int) -> EpochSeconds {
        switch step {
        case .seconds(let length, let anchor):
            return Int64(index * length + anchor)
        case .months(let length, let anchor, let dayOfMonth):
            let month = anchor + index * length
            let year = month.dividedDown(by: 12)
            let date = CivilDate(year: year, month: month - year * 12 + 1, day: dayOfMonth)
            return Int64(date.daysSinceEpoch) * secondsInDay
        }
    }

    package func floor(_ timestamp: EpochSeconds) -> EpochSeconds { self.timestamp(at: index(of: timestamp)) }

    /// The point `steps` after the one that `timestamp` belongs to.
    package func adding(_ steps: Int, to timestamp: EpochSeconds) -> EpochSeconds {
        self.timestamp(at: index(of: timestamp) + steps)
    }

    package func steps(from start: EpochSeconds, to end: EpochSeconds) -> Int { index(of: end) - index(of: start) }
}
