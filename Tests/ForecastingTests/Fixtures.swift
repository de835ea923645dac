import Forecasting
import TimeSeries

/// A small generator with a seed, so that a failure can be repeated. Source: SplitMix64.
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    /// About normal: the sum of twelve uniform numbers.
    mutating func noise() -> Double { (0..<12).reduce(-6.0) { sum, _ in sum + Double.random(in: 0..<1, using: &self) } }
}

let weekShape = [1.0, 0.8, 0.9, 1.2, 1.6, 2.0, 0.5]

/// Daily values with a week's season and a slow rise.
func weeklyValues(_ count: Int, seed: UInt64 = 1, noise: Double = 3) -> [Double] {
    var generator = SeededGenerator(state: seed)
    return (0..<count).map { 100 * weekShape[$0 % 7] + 0.1 * Double($0) + noise * generator.noise() }
}

func series(_ values: [Double], item: String = "a", start: Int = 10_000) -> Series {
    Series(key: ItemKey(itemID: item), start: start, values: values, observedCount: values.filter { !$0.isNaN }.count)
}

let daily = TimeGrid(frequency: try! Frequency(parsing: "D"))

/// A trainer for series that end where the one given ends.
func trainer(
    for series: Series, horizon: Int = 14, types: [ForecastType] = ForecastType.defaults, windows: Int = 1, offset: Int? = nil
) throws
    -> SeriesTrainer
{
    let settings = try PredictorSettings(
        grid: daily, horizon: horizon, types: types, backtestWindows: windows, backtestOffset: offset)
    return SeriesTrainer(settings: settings, globalEnd: daily.timestamp(at: series.end - 1))
}
