package import TimeSeries

/// The season lengths, in steps, that a frequency suggests.
package struct Seasonality: Sendable, Hashable {
    /// What MASE and the naive model count by: a day of hours or minutes, a week of days, a year of weeks or months. 1 is none.
    package let primary: Int
    /// A second season worth trying: a week of hours, an hour of minutes.
    package let secondary: Int?

    private static let longest = 400

    package init(_ frequency: Frequency) {
        let count = frequency.count
        switch frequency.unit {
        case .minute:
            let day = Self.steps(1440, count)
            let hour = Self.steps(60, count)
            primary = day > 1 && day <= Self.longest ? day : hour
            secondary = primary == day && hour > 1 ? hour : nil
        case .hour:
            primary = Self.steps(24, count)
            let week = Self.steps(168, count)
            secondary = week > 1 && week != primary ? week : nil
        case .day:
            primary = Self.steps(7, count)
            secondary = nil
        case .week:
            primary = Self.steps(52, count)
            secondary = nil
        case .month:
            primary = Self.steps(12, count)
            secondary = nil
        case .year:
            primary = 1
            secondary = nil
        }
    }

    /// Whole steps in a cycle, 1 where they do not divide it.
    private static func steps(_ cycle: Int, _ count: Int) -> Int { cycle % count == 0 ? cycle / count : 1 }
}
