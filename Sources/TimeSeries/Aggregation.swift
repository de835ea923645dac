/// How the rows that fall into one step of a series become its value. Missing values take no part.
package enum Aggregation: String, Sendable, Hashable, CaseIterable {
    case sum, avg, first, min, max

    /// Of at least one value; the order is by timestamp, then by input.
    func combine(_ values: ArraySlice<Double>) -> Double {
        switch self {
        case .sum: values.reduce(0, +)
        case .avg: values.reduce(0, +) / Double(values.count)
        case .first: values.first ?? .nan
        case .min: values.min() ?? .nan
        case .max: values.max() ?? .nan
        }
    }
}
