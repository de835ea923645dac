/// How a quantity that is sampled again and again moves, without regard to single samples far off (Theil and Sen's estimator).
package struct Trend: Sendable, Equatable {
    /// More samples are thinned out evenly: every pair of them is looked at.
    private static let samplesMax = 400

    package let samples: Int
    package let median: Double
    /// Change in one second.
    package let slope: Double
    package let seconds: Double

    /// Nil for fewer than two moments.
    package init?(_ points: [(time: Double, value: Double)]) {
        let step = max(1, (points.count + Self.samplesMax - 1) / Self.samplesMax)
        let chosen = stride(from: 0, to: points.count, by: step).map { points[$0] }
        var slopes: [Double] = []
        for (index, one) in chosen.enumerated() {
            for other in chosen[(index + 1)...] where other.time > one.time {
                slopes.append((other.value - one.value) / (other.time - one.time))
            }
        }
        guard let first = points.first, let last = points.last, !slopes.isEmpty else { return nil }
        samples = points.count
        seconds = last.time - first.time
        slope = Self.middle(slopes)
        median = Self.middle(points.map(\.value))
    }

    /// What it moved by from the first sample to the last, as far as it moves steadily.
    package var drift: Double { slope * seconds }

    /// Whether it grew by no more than a part of its median, or by what is nothing beside it.
    package func isFlat(part: Double, floor: Double) -> Bool { drift <= max(median * part, floor) }

    private static func middle(_ values: [Double]) -> Double {
        let sorted = values.sorted()
        let half = sorted.count / 2
        return sorted.count % 2 == 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2
    }
}
