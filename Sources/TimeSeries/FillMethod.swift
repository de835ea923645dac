/// What stands where a series has no value. Source: Amazon Forecast, FeaturizationMethod.
package enum FillMethod: Sendable, Hashable {
    case zero
    /// Leaves the value missing.
    case nan
    case value(Double)
    case median, mean, min, max

    /// The rolling methods look at this many observed entries before the gap.
    package static let windowEntries = 64

    package init(name: String, value: String?, parameter: String) throws(TimeSeriesError) {
        guard name == "value" || value == nil else {
            throw .invalidArgument("\(parameter)_value goes only with \(parameter) \"value\"")
        }
        switch name {
        case "zero": self = .zero
        case "nan": self = .nan
        case "median": self = .median
        case "mean": self = .mean
        case "min": self = .min
        case "max": self = .max
        case "value":
            guard let value, let number = Double(value), number.isFinite else {
                throw .invalidArgument("\(parameter) \"value\" needs a number in \(parameter)_value")
            }
            self = .value(number)
        default: throw .invalidArgument("\(parameter) must be zero, nan, value, median, mean, min or max")
        }
    }

    package var name: String {
        switch self {
        case .zero: "zero"
        case .nan: "nan"
        case .value: "value"
        case .median: "median"
        case .mean: "mean"
        case .min: "min"
        case .max: "max"
        }
    }

    /// The value for a gap after `observed`, the values seen before it in order.
    func fill(after observed: ArraySlice<Double>) -> Double {
        let window = observed.suffix(Self.windowEntries)
        guard !window.isEmpty else { return self == .zero ? 0 : .nan }
        switch self {
        case .zero: return 0
        case .nan: return .nan
        case .value(let value): return value
        case .mean: return window.reduce(0, +) / Double(window.count)
        case .min: return window.min() ?? .nan
        case .max: return window.max() ?? .nan
        case .median:
            let sorted = window.sorted()
            let middle = sorted.count / 2
            return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
        }
    }
}
