/// A quantile of the forecast, or its mean. Source: Amazon Forecast, ForecastTypes.
package enum ForecastType: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// In hundredths, 1…99.
    case quantile(Int)
    case mean

    package static let countLimit = 5
    package static let defaults: [ForecastType] = [.quantile(10), .quantile(50), .quantile(90)]

    /// `0.5`, `.05`, `0.99` or `mean`.
    package init(parsing text: String) throws(ForecastingError) {
        if text == "mean" {
            self = .mean
            return
        }
        let digits = text.hasPrefix("0.") ? text.dropFirst(2) : text.hasPrefix(".") ? text.dropFirst() : ""
        guard (1...2).contains(digits.utf8.count), digits.utf8.allSatisfy({ (48...57).contains($0) }), let number = Int(digits)
        else {
            throw .invalidArgument("a forecast type must be mean or 0.01 to 0.99")
        }
        let hundredths = digits.utf8.count == 1 ? number * 10 : number
        guard hundredths > 0 else { throw .invalidArgument("a forecast type must be mean or 0.01 to 0.99") }
        self = .quantile(hundredths)
    }

    /// The types of a request: at most five, none twice; the defaults where none is named.
    package static func list(parsing texts: [String]?) throws(ForecastingError) -> [ForecastType] {
        guard let texts, !texts.isEmpty else { return defaults }
        guard texts.count <= countLimit else { throw .invalidArgument("at most \(countLimit) forecast types are allowed") }
        var types: [ForecastType] = []
        for text in texts {
            let type = try ForecastType(parsing: text)
            guard !types.contains(type) else { throw .invalidArgument("a forecast type is named twice") }
            types.append(type)
        }
        return types
    }

    /// 0.01…0.99; nil for the mean.
    package var probability: Double? {
        if case .quantile(let hundredths) = self { Double(hundredths) / 100 } else { nil }
    }

    /// `p10`, `p5`, `mean`: the name of the column in exports and of the member in QueryForecast.
    package var columnName: String {
        if case .quantile(let hundredths) = self { "p\(hundredths)" } else { "mean" }
    }

    /// `0.1`, `0.05`, `mean`
    package var description: String {
        guard case .quantile(let hundredths) = self else { return "mean" }
        return hundredths % 10 == 0 ? "0.\(hundredths / 10)" : hundredths < 10 ? "0.0\(hundredths)" : "0.\(hundredths)"
    }

    var code: UInt8 {
        if case .quantile(let hundredths) = self { UInt8(hundredths) } else { 0 }
    }

    init(code: UInt8) throws(ForecastingError) {
        guard code <= 99 else { throw .corruptedData("a forecast type is unknown") }
        self = code == 0 ? .mean : .quantile(Int(code))
    }

    /// Quantiles ascending, the mean last.
    package static func < (left: ForecastType, right: ForecastType) -> Bool {
        (left.probability ?? 1) < (right.probability ?? 1)
    }
}
