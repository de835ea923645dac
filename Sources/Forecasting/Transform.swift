/// The scale on which a model works.
enum Transform: UInt8, Sendable, Hashable {
    case identity = 0
    /// Natural logarithm; for series whose values are all above zero.
    case logarithm = 1

    func apply(_ values: [Double]) -> [Double] { self == .identity ? values : values.map { Math.log($0) } }
    @inline(__always) func invert(_ value: Double) -> Double { self == .identity ? value : Math.exp(min(value, 700)) }
}
