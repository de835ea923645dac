import AWSProtocol
import Pipelines
import TimeSeries

/// `TimeAlignmentBoundary` of an auto predictor.
enum AlignmentInput {
    enum Month: String, CaseIterable {
        case JANUARY, FEBRUARY, MARCH, APRIL, MAY, JUNE, JULY, AUGUST, SEPTEMBER, OCTOBER, NOVEMBER, DECEMBER
    }
    enum DayOfWeek: String, CaseIterable {
        case MONDAY, TUESDAY, WEDNESDAY, THURSDAY, FRIDAY, SATURDAY, SUNDAY
    }

    /// Which members fit depends on the unit of the frequency: Hour for D, DayOfWeek for W, DayOfMonth for M,
    /// DayOfMonth and Month for Y.
    static func read(_ input: JSONObject, frequency: Frequency) throws -> TrainDocument.Alignment? {
        guard let boundary = try input.optionalObject("TimeAlignmentBoundary") else { return nil }
        let alignment = TrainDocument.Alignment(
            month: try boundary.optionalEnum("Month", as: Month.self)?.rawValue,
            dayOfMonth: try boundary.optionalInt("DayOfMonth", range: 1...28),
            dayOfWeek: try boundary.optionalEnum("DayOfWeek", as: DayOfWeek.self)?.rawValue,
            hour: try boundary.optionalInt("Hour", range: 0...23))
        let allowed: Set<String>
        switch frequency.unit {
        case .day: allowed = ["Hour"]
        case .week: allowed = ["DayOfWeek"]
        case .month: allowed = ["DayOfMonth"]
        case .year: allowed = ["DayOfMonth", "Month"]
        default: allowed = []
        }
        for member in boundary.keys where !allowed.contains(member) {
            throw AWSError.invalidInput("TimeAlignmentBoundary: \(member) does not fit the forecast frequency \(frequency).")
        }
        return alignment
    }
}
