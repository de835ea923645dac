/// Components with weights that sum to one. Forecasts average the components' quantiles.
struct Ensemble: Sendable, Hashable {
    let components: [Component]
    let weights: [Double]
    /// No forecast leaves these: not below zero where history never did, and not ten times its range beyond it.
    let bounds: ClosedRange<Double>

    /// The bounds for a history, which has at least one value that is not missing.
    static func bounds(of history: ArraySlice<Double>) -> ClosedRange<Double> {
        let largest = Double.greatestFiniteMagnitude
        let observed = history.lazy.filter { !$0.isNaN }
        guard let low = observed.min(), let high = observed.max() else { return -largest...largest }
        let room = 10 * max(high - low, abs(low), abs(high), 1e-9)
        return (low >= 0 ? 0 : max(low - room, -largest))...min(high + room, largest)
    }

    /// `result[p][step]` for each probability. For one step the values never fall as the probability rises.
    func quantiles(_ probabilities: [Double], horizon: Int) -> [[Double]] {
        var result = [[Double]](repeating: [Double](repeating: 0, count: horizon), count: probabilities.count)
        for (component, weight) in zip(components, weights) {
            for (step, point) in component.points(horizon).enumerated() {
                for (index, probability) in probabilities.enumerated() {
                    let offset = component.profile.offset(step: step, probability: probability)
                    result[index][step] += weight * component.transform.invert(point + offset)
                }
            }
        }
        for index in result.indices {
            for step in 0..<horizon { result[index][step] = clamped(result[index][step]) }
        }
        return result
    }

    /// The mean of the forecast distribution, by its quantiles.
    func means(horizon: Int) -> [Double] {
        let probabilities = (0..<20).map { (Double($0) + 0.5) / 20 }
        let values = quantiles(probabilities, horizon: horizon)
        return (0..<horizon).map { step in values.reduce(0) { $0 + $1[step] } / Double(probabilities.count) }
    }

    private func clamped(_ value: Double) -> Double {
        value.isNaN ? bounds.lowerBound : min(max(value, bounds.lowerBound), bounds.upperBound)
    }
}
