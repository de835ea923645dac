import AWSProtocol
import TimeSeries

/// `frequency` and `alignment` of the settings in the manifests of predictors and forecasts.
extension TimeGrid {
    func append(to settings: inout JSONObject) {
        settings["frequency"] = .string(frequency.description)
        var alignment: JSONObject = [:]
        alignment.append("month", ifPresent: boundary.month.map { .string(TimeAlignmentBoundary.monthNames[$0 - 1]) })
        alignment.append("dayOfMonth", ifPresent: boundary.dayOfMonth.map { .int(Int64($0)) })
        alignment.append("dayOfWeek", ifPresent: boundary.dayOfWeek.map { .string($0.rawValue) })
        alignment.append("hour", ifPresent: boundary.hour.map { .int(Int64($0)) })
        if !alignment.isEmpty { settings["alignment"] = .object(alignment) }
    }

    init(settings: JSONObject) throws {
        let frequency = try Frequency(parsing: try settings.requiredString("frequency"))
        let alignment = try settings.optionalObject("alignment") ?? [:]
        self.init(
            frequency: frequency,
            boundary: try TimeAlignmentBoundary(
                month: try alignment.optionalString("month"), dayOfMonth: try alignment.optionalInt("dayOfMonth"),
                dayOfWeek: try alignment.optionalString("dayOfWeek"), hour: try alignment.optionalInt("hour"),
                for: frequency))
    }
}
