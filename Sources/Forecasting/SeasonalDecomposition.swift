/// Classical additive decomposition: seasonal indices from the deviations off a centred moving average.
struct SeasonalDecomposition {
    /// One index a place in the season, place 0 being that of the first value; they sum to zero.
    let indices: [Double]

    /// `values` hold no missing ones and at least two seasons.
    init(_ values: [Double], period: Int) {
        let half = period / 2
        var sums = [Double](repeating: 0, count: period)
        var counts = [Int](repeating: 0, count: period)
        var total = values[0..<2 * half + 1].reduce(0, +)
        let isEven = period % 2 == 0
        for centre in half..<values.count - half {
            if centre > half { total += values[centre + half] - values[centre - half - 1] }
            // An even season weighs the two values at its ends by a half.
            let window = isEven ? total - 0.5 * (values[centre - half] + values[centre + half]) : total
            sums[centre % period] += values[centre] - window / Double(period)
            counts[centre % period] += 1
        }
        let means = zip(sums, counts).map { $1 > 0 ? $0 / Double($1) : 0 }
        let mean = means.reduce(0, +) / Double(period)
        indices = means.map { $0 - mean }
    }

    /// Whether the season is worth removing: the autocorrelation at its lag is beyond the 90 % band (the test of the M competitions).
    static func isSignificant(_ values: [Double], period: Int) -> Bool {
        guard period > 1, values.count >= 3 * period else { return false }
        let mean = values.reduce(0, +) / Double(values.count)
        let centred = values.map { $0 - mean }
        let variance = centred.reduce(0) { $0 + $1 * $1 }
        guard variance > 0 else { return false }
        func correlation(_ lag: Int) -> Double {
            var sum = 0.0
            for index in lag..<centred.count { sum += centred[index] * centred[index - lag] }
            return sum / variance
        }
        let squares = (1..<period).reduce(0.0) { $0 + correlation($1) * correlation($1) }
        return abs(correlation(period)) > 1.645 * ((1 + 2 * squares) / Double(values.count)).squareRoot()
    }
}

/// Missing values replaced by lines between their neighbours: for starting values only, never for errors.
func interpolated(_ values: ArraySlice<Double>) -> [Double] {
    var result = Array(values)
    var previous: Int?
    for index in result.indices where !result[index].isNaN {
        let start = previous ?? index
        if previous == nil {
            for gap in 0..<index { result[gap] = result[index] }
        } else if index - start > 1 {
            let slope = (result[index] - result[start]) / Double(index - start)
            for gap in start + 1..<index { result[gap] = result[start] + slope * Double(gap - start) }
        }
        previous = index
    }
    guard let previous else { return [Double](repeating: 0, count: result.count) }
    for gap in previous + 1..<max(result.count, previous + 1) { result[gap] = result[previous] }
    return result
}
