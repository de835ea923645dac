/// How forecasts of a model have missed: a scale for each step ahead and the shape of the scaled errors.
///
/// Collected from forecasts made at many origins in the history. Few errors are blended with the scale that the model's theory gives and
/// with the normal distribution, so that a short series does not get a band of nothing.
struct ErrorProfile: Sendable, Hashable {
    /// The probabilities at which the shape is kept.
    static let knots = [0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.975, 0.99]
    static let normalKnots = knots.map(Math.normalQuantile)

    /// One a step ahead.
    let scales: [Double]
    /// Quantiles of the scaled errors at the knots, never falling.
    let shape: [Double]

    init(scales: [Double], shape: [Double]) {
        self.scales = scales
        self.shape = shape
    }

    /// `errors[step]` are the errors seen so many steps ahead; `theory[step]` the variance there in units of the one-step variance.
    init(errors: [[Double]], theory: [Double], origins: Int) {
        var oneStep = 0.0
        var seen = 0
        for (step, list) in errors.enumerated() {
            for error in list {
                oneStep += error * error / theory[step]
                seen += 1
            }
        }
        let variance = seen > 0 ? oneStep / Double(seen) : 0
        let blend = 12.0
        let variances = zip(errors, theory).map { list, factor in
            (list.reduce(0) { $0 + $1 * $1 } + blend * variance * factor) / (Double(list.count) + blend)
        }
        scales = variances.map { $0.squareRoot() }
        var scaled: [Double] = []
        for (step, list) in errors.enumerated() where scales[step] > 0 {
            for error in list { scaled.append(error / scales[step]) }
        }
        scaled.sort()
        let weight = Double(origins) / Double(origins + 30)
        var previous = -Double.infinity
        shape = zip(Self.knots, Self.normalKnots).map { probability, normal in
            guard scaled.count > 1 else { return normal }
            let value = weight * sampleQuantile(scaled, probability) + (1 - weight) * normal
            previous = max(previous, value)
            return previous
        }
    }

    /// What to add to the point forecast `step` steps ahead (from 0) for a probability; linear between knots on the normal's scale.
    func offset(step: Int, probability: Double) -> Double {
        let z = Math.normalQuantile(probability)
        let knots = Self.normalKnots
        var upper = 1
        while upper < knots.count - 1, knots[upper] < z { upper += 1 }
        let share = (z - knots[upper - 1]) / (knots[upper] - knots[upper - 1])
        return scales[step] * (shape[upper - 1] + share * (shape[upper] - shape[upper - 1]))
    }
}

/// The quantile of sorted values, linear between neighbours.
func sampleQuantile(_ sorted: [Double], _ probability: Double) -> Double {
    let position = probability * Double(sorted.count - 1)
    let lower = Int(position)
    guard lower + 1 < sorted.count else { return sorted[sorted.count - 1] }
    return sorted[lower] + (position - Double(lower)) * (sorted[lower + 1] - sorted[lower])
}
