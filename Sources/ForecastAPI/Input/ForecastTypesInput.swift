import AWSProtocol

/// Quantiles and `mean` that a forecast is made for.
enum ForecastTypesInput {
    static let defaults = ["0.1", "0.5", "0.9"]
    static let countMax = 5

    /// 0.01 to 0.99 in steps of 0.01, or `mean`; at most five, each once. Nil where the member is absent.
    static func read(_ input: JSONObject) throws -> [String]? {
        guard let types = try input.optionalStrings("ForecastTypes", count: 1...20) else { return nil }
        guard types.count <= countMax else {
            throw AWSError.invalidInput("ForecastTypes: at most \(countMax) types are allowed.")
        }
        let canonical = try types.map(canonical)
        guard Set(canonical).count == canonical.count else {
            throw AWSError.invalidInput("ForecastTypes: each type may stand once.")
        }
        return canonical
    }

    /// `.5`, `0.5` and `0.50` are one quantile.
    private static func canonical(_ type: String) throws -> String {
        if type == "mean" { return type }
        let digits = type.hasPrefix("0.") ? type.dropFirst(2) : type.hasPrefix(".") ? type.dropFirst(1) : ""
        guard (1...2).contains(digits.utf8.count), digits.utf8.allSatisfy(\.isASCIIDigit),
            let hundredths = Int(digits.utf8.count == 1 ? digits + "0" : digits), (1...99).contains(hundredths)
        else {
            throw AWSError.validation(
                field: "ForecastTypes", rule: #"Member must satisfy regular expression pattern: (^0?\.\d\d?$|^mean$)"#)
        }
        if hundredths % 10 == 0 { return "0.\(hundredths / 10)" }
        return hundredths < 10 ? "0.0\(hundredths)" : "0.\(hundredths)"
    }
}
