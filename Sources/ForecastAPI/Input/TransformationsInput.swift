import AWSProtocol

/// How the target is aggregated and filled (forecast.md §10): the effective settings, defaults included.
enum TransformationsInput {
    static let defaults = ["aggregation": "sum", "frontfill": "none", "middlefill": "zero", "backfill": "zero"]

    private static let fills: Set<String> = ["zero", "nan", "value", "median", "mean", "min", "max"]
    private static let choices: [String: Set<String>] = [
        "aggregation": ["sum", "avg", "first", "min", "max"], "frontfill": ["none"], "middlefill": fills, "backfill": fills,
    ]

    /// Checks the given settings and adds the defaults. `member` names the place in messages.
    static func effective(_ given: [String: String], member: String) throws -> [String: String] {
        var effective = defaults
        for (parameter, value) in given {
            if let fill = parameter.droppingValueSuffix {
                guard given[fill] == "value" else {
                    throw AWSError.invalidInput("\(member): \(parameter) needs \(fill) to be value.")
                }
                guard Double(value)?.isFinite == true else {
                    throw AWSError.invalidInput("\(member): \(parameter) must be a number.")
                }
            } else {
                guard let allowed = choices[parameter] else {
                    throw AWSError.invalidInput(
                        "\(member): the target takes \(choices.keys.sorted().joined(separator: ", ")) only.")
                }
                guard allowed.contains(value) else {
                    throw AWSError.invalidInput(
                        "\(member): \(parameter) must be one of \(allowed.sorted().joined(separator: ", ")).")
                }
                if value == "value", given["\(parameter)_value"] == nil {
                    throw AWSError.invalidInput("\(member): \(parameter) is value, so \(parameter)_value is required.")
                }
            }
            effective[parameter] = value
        }
        return effective
    }

    /// In the order in which Describe shows them.
    static func request(_ effective: [String: String]) -> JSONObject {
        JSONObject(effective.sorted { $0.key < $1.key }.map { ($0.key, .string($0.value)) })
    }
}

extension String {
    /// `backfill` of `backfill_value`; nil for any other text.
    fileprivate var droppingValueSuffix: String? {
        let suffix = "_value"
        guard hasSuffix(suffix) else { return nil }
        let fill = String(dropLast(suffix.count))
        return fill == "middlefill" || fill == "backfill" ? fill : nil
    }
}
