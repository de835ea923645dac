/// Aggregation and filling of the target, as `FeaturizationMethodParameters` or `Transformations` name them.
///
/// Nothing is filled before an item's first value (frontfill none); middlefill fills up to its last value, backfill from there to the global end.
package struct TargetTransformations: Sendable, Hashable {
    package var aggregation = Aggregation.sum
    package var middlefill = FillMethod.zero
    package var backfill = FillMethod.zero

    package init(aggregation: Aggregation = .sum, middlefill: FillMethod = .zero, backfill: FillMethod = .zero) {
        self.aggregation = aggregation
        self.middlefill = middlefill
        self.backfill = backfill
    }

    private static let names: Set<String> = [
        "aggregation", "frontfill", "middlefill", "middlefill_value", "backfill", "backfill_value",
    ]

    /// Parameters that are not named keep their defaults. Throws `invalidArgument` naming the parameter.
    package init(parameters: [String: String]) throws(TimeSeriesError) {
        if let unknown = parameters.keys.sorted().first(where: { !Self.names.contains($0) }) {
            throw .invalidArgument("the target time series has no parameter '\(unknown)'")
        }
        if let name = parameters["aggregation"] {
            guard let aggregation = Aggregation(rawValue: name) else {
                throw .invalidArgument("aggregation must be sum, avg, first, min or max")
            }
            self.aggregation = aggregation
        }
        guard parameters["frontfill"] ?? "none" == "none" else { throw .invalidArgument("frontfill must be none") }
        middlefill = try FillMethod(
            name: parameters["middlefill"] ?? "zero", value: parameters["middlefill_value"], parameter: "middlefill")
        backfill = try FillMethod(
            name: parameters["backfill"] ?? "zero", value: parameters["backfill_value"], parameter: "backfill")
    }

    /// What is in effect, as DescribePredictor echoes it.
    package var effectiveParameters: [(name: String, value: String)] {
        var parameters = [("frontfill", "none"), ("aggregation", aggregation.rawValue), ("backfill", backfill.name)]
        if case .value(let value) = backfill { parameters.append(("backfill_value", Self.text(value))) }
        parameters.append(("middlefill", middlefill.name))
        if case .value(let value) = middlefill { parameters.append(("middlefill_value", Self.text(value))) }
        return parameters.map { (name: $0.0, value: $0.1) }
    }

    private static func text(_ value: Double) -> String {
        value == value.rounded() && abs(value) < 1e15 ? String(Int64(value)) : String(value)
    }
}
