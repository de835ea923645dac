/// Where days, weeks, months and years begin. Source: Amazon Forecast, TimeAlignmentBoundary.
///
/// `Month` goes with yearly and `DayOfWeek` with weekly frequencies; `DayOfMonth` with monthly and yearly ones; `Hour` with daily ones.
package struct TimeAlignmentBoundary: Sendable, Hashable {
    package enum Weekday: String, Sendable, CaseIterable {
        case monday = "MONDAY"
        case tuesday = "TUESDAY"
        case wednesday = "WEDNESDAY"
        case thursday = "THURSDAY"
        case friday = "FRIDAY"
        case saturday = "SATURDAY"
        case sunday = "SUNDAY"

        /// Days after Monday.
        var offset: Int { Self.allCases.firstIndex(of: self) ?? 0 }
    }

    package static let monthNames = [
        "JANUARY", "FEBRUARY", "MARCH", "APRIL", "MAY", "JUNE", "JULY", "AUGUST", "SEPTEMBER", "OCTOBER", "NOVEMBER", "DECEMBER",
    ]

    /// 1…12
    package let month: Int?
    /// 1…28
    package let dayOfMonth: Int?
    package let dayOfWeek: Weekday?
    /// 0…23
    package let hour: Int?

    package static let none = TimeAlignmentBoundary()

    private init() {
        month = nil
        dayOfMonth = nil
        dayOfWeek = nil
        hour = nil
    }

    /// Throws `invalidArgument` for an unknown name, a value out of bounds, or a part that does not go with the frequency.
    package init(
        month: String? = nil, dayOfMonth: Int? = nil, dayOfWeek: String? = nil, hour: Int? = nil, for frequency: Frequency
    ) throws(TimeSeriesError) {
        self.month = try month.map { (name) throws(TimeSeriesError) in
            guard let index = Self.monthNames.firstIndex(of: name) else {
                throw .invalidArgument("TimeAlignmentBoundary.Month must be the name of a month in uppercase")
            }
            return index + 1
        }
        self.dayOfWeek = try dayOfWeek.map { (name) throws(TimeSeriesError) in
            guard let day = Weekday(rawValue: name) else {
                throw .invalidArgument("TimeAlignmentBoundary.DayOfWeek must be the name of a day in uppercase")
            }
            return day
        }
        guard dayOfMonth.map((1...28).contains) ?? true else {
            throw .invalidArgument("TimeAlignmentBoundary.DayOfMonth must be 1 to 28")
        }
        guard hour.map((0...23).contains) ?? true else {
            throw .invalidArgument("TimeAlignmentBoundary.Hour must be 0 to 23")
        }
        self.dayOfMonth = dayOfMonth
        self.hour = hour
        let fits: [(String, Bool, Set<Frequency.Unit>)] = [
            ("Month", month != nil, [.year]), ("DayOfMonth", dayOfMonth != nil, [.month, .year]),
            ("DayOfWeek", dayOfWeek != nil, [.week]), ("Hour", hour != nil, [.day]),
        ]
        for (name, isGiven, units) in fits where isGiven && !units.contains(frequency.unit) {
            throw .invalidArgument("TimeAlignmentBoundary.\(name) does not go with the frequency \(frequency)")
        }
    }
}
