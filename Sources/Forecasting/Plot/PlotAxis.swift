import TimeSeries

/// Where the marks of an axis stand and what they say.
struct PlotAxis {
    struct Tick {
        let position: Double
        let label: String
    }

    let range: ClosedRange<Double>
    let ticks: [Tick]

    private static let tickLimit = 8

    /// A value axis that spans the values, with marks at 1, 2 or 5 times a power of ten. It starts at zero where that is not far.
    static func values(_ low: Double, _ high: Double) -> PlotAxis {
        let start = low >= 0 && low < (high - low) * 1.5 ? 0 : low
        let span = max(high - start, abs(high) * 1e-6, 1e-9)
        var step = powerOfTen(below: span / 5)
        for factor in [1.0, 2, 5, 10] where span / (step * factor) <= 6 {
            step *= factor
            break
        }
        let first = (start / step).rounded(.down) * step
        let count = Int(((high - first) / step).rounded(.up))
        let ticks = (0...max(count, 1)).map { index in
            let value = first + Double(index) * step
            return Tick(position: value, label: label(value, step: step))
        }
        return PlotAxis(range: first...(ticks.last?.position ?? first + 1), ticks: ticks)
    }

    /// A time axis with marks at whole hours, days, months or years.
    static func time(_ start: EpochSeconds, _ end: EpochSeconds) -> PlotAxis {
        let last = max(end, start + 1)
        let range = Double(start)...Double(last)
        for seconds in [60, 300, 900, 3600, 10_800, 21_600, 43_200, 86_400, 172_800, 604_800, 1_209_600] as [Int64] {
            let anchor: Int64 = seconds % 604_800 == 0 ? 4 * 86_400 : 0  // weeks begin on Monday
            let first = (Double(start - anchor) / Double(seconds)).rounded(.up)
            let times = stride(from: Int64(first) * seconds + anchor, through: last, by: Int(seconds)).map { $0 }
            if times.count <= tickLimit { return PlotAxis(range: range, ticks: times.map { dayTick($0, step: seconds) }) }
        }
        for months in [1, 2, 3, 6, 12, 24, 60, 120, 240, 600, 1200] {
            let times = monthStarts(every: months, from: start, to: last)
            if times.count <= tickLimit { return PlotAxis(range: range, ticks: times.map { monthTick($0, months: months) }) }
        }
        return PlotAxis(range: range, ticks: [dayTick(start, step: 86_400), dayTick(last, step: 86_400)])
    }

    private static func monthStarts(every months: Int, from start: EpochSeconds, to end: EpochSeconds) -> [EpochSeconds] {
        let date = CivilDate(daysSinceEpoch: Int((Double(start) / 86_400).rounded(.down)))
        var month = (date.year * 12 + date.month - 1) / months * months
        var times: [EpochSeconds] = []
        while times.count <= tickLimit {
            let day = CivilDate(year: month / 12, month: month % 12 + 1, day: 1).daysSinceEpoch
            let time = Int64(day) * 86_400
            if time > end { break }
            if time >= start { times.append(time) }
            month += months
        }
        return times
    }

    private static func dayTick(_ time: EpochSeconds, step: Int64) -> Tick {
        let text = TimestampStyle.spaced.string(time)
        return Tick(
            position: Double(time), label: step >= 86_400 ? String(text.prefix(10)) : String(text.dropFirst(5).prefix(11)))
    }

    private static func monthTick(_ time: EpochSeconds, months: Int) -> Tick {
        Tick(position: Double(time), label: String(TimestampStyle.date.string(time).prefix(months >= 12 ? 4 : 7)))
    }

    private static func powerOfTen(below value: Double) -> Double {
        var power = 1.0
        while power > value { power /= 10 }
        while power * 10 <= value { power *= 10 }
        return power
    }

    /// With as many decimals as the step has; thousands and more as k, M, G.
    private static func label(_ value: Double, step: Double) -> String {
        for (unit, suffix) in [(1e9, "G"), (1e6, "M"), (1e3, "k")] where abs(step) >= unit / 10 && abs(value) >= unit {
            return trimmed(value / unit) + suffix
        }
        return trimmed(value)
    }

    private static func trimmed(_ value: Double) -> String {
        let rounded = (value * 1e6).rounded() / 1e6
        return rounded == rounded.rounded() && abs(rounded) < 1e15 ? "\(Int64(rounded))" : "\(rounded)"
    }
}
