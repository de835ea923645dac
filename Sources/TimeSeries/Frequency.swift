/// How often a series has a value: 1–59min, 1–23H, 1–6D, 1–4W, 1–11M, 1Y. A bare unit counts one of it; minutes need a count.
///
/// Overlap with the next unit (60min, 24H, 7D, 5W, 12M) is illegal. Source: Amazon Forecast, ForecastFrequency.
package struct Frequency: Sendable, Hashable, CustomStringConvertible {
    package enum Unit: String, Sendable, CaseIterable {
        case minute = "min"
        case hour = "H"
        case day = "D"
        case week = "W"
        case month = "M"
        case year = "Y"

        var countLimit: Int {
            switch self {
            case .minute: 59
            case .hour: 23
            case .day: 6
            case .week: 4
            case .month: 11
            case .year: 1
            }
        }

        /// Exact for all but months and years, which are their mean of the 400-year era.
        var seconds: Double {
            switch self {
            case .minute: 60
            case .hour: 3600
            case .day: 86_400
            case .week: 604_800
            case .month: 31_556_952 / 12
            case .year: 31_556_952
            }
        }
    }

    package let count: Int
    package let unit: Unit

    package init(_ count: Int, _ unit: Unit) throws(TimeSeriesError) {
        guard (1...unit.countLimit).contains(count) else {
            throw .invalidArgument("a frequency in \(unit.rawValue) counts from 1 to \(unit.countLimit)")
        }
        self.count = count
        self.unit = unit
    }

    /// `30min`, `2H`, `D`, `1W` …
    package init(parsing text: String) throws(TimeSeriesError) {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        guard digits.count <= 2, digits.first != "0", let unit = Unit(rawValue: String(text.dropFirst(digits.count))),
            !(digits.isEmpty && unit == .minute)
        else {
            throw .invalidArgument("the frequency must be 1min-59min, 1H-23H, 1D-6D, 1W-4W, 1M-11M or Y")
        }
        try self.init(Int(digits) ?? 1, unit)
    }

    package var description: String { count == 1 && unit != .minute ? unit.rawValue : "\(count)\(unit.rawValue)" }

    /// The length of a step, for comparing frequencies only.
    package var approximateSeconds: Double { Double(count) * unit.seconds }

    /// Whether data of `other` can be aggregated to this frequency: it is no finer.
    package func isAtLeast(_ other: Frequency) -> Bool { approximateSeconds >= other.approximateSeconds }
}
