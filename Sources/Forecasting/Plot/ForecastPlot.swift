package import TimeSeries

/// A picture of one series as SVG: history, what came (where known), and the forecast with its band.
///
/// The band goes from the lowest to the highest quantile of the forecast, the line in it is the one nearest to the median.
package struct ForecastPlot: Sendable {
    package struct Point: Sendable, Hashable {
        package let time: EpochSeconds
        /// NaN leaves a gap.
        package let value: Double
        package init(time: EpochSeconds, value: Double) {
            self.time = time
            self.value = value
        }
    }

    package let title: String
    package let history: [Point]
    package let forecast: ForecastValues
    package let actual: [Point]

    package static let width = 960.0
    package static let height = 340.0
    private static let left = 64.0
    private static let right = 20.0
    private static let top = 44.0
    private static let bottom = 36.0

    package init(title: String, history: [Point], forecast: ForecastValues, actual: [Point] = []) {
        self.title = title
        self.history = history
        self.forecast = forecast
        self.actual = actual
    }

    package func svg() -> String { Self.page([self]) }

    /// One picture below the other, in one document.
    package static func page(_ plots: [ForecastPlot]) -> String {
        let total = Int(height) * max(plots.count, 1)
        var document =
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 \(Int(width)) \(total)\" width=\"\(Int(width))\" height=\"\(total)\" font-family=\"Helvetica, Arial, sans-serif\" font-size=\"12\">\n"
        document += "<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n"
        for (number, plot) in plots.enumerated() {
            document += "<g transform=\"translate(0 \(Int(height) * number))\">\n\(plot.body)</g>\n"
        }
        return document + "</svg>\n"
    }

    // MARK: Parts

    private var quantiles: [(probability: Double, values: [Double])] {
        zip(forecast.types, forecast.values).compactMap { type, values in type.probability.map { ($0, values) } }
            .sorted { $0.probability < $1.probability }
    }

    private var middle: [Double]? {
        quantiles.min { abs($0.probability - 0.5) < abs($1.probability - 0.5) }?.values ?? forecast.values(of: .mean)
    }

    private var body: String {
        let times = (history + actual).map(\.time) + forecast.timestamps
        let values = ((history + actual).map(\.value) + forecast.values.flatMap { $0 }).filter(\.isFinite)
        guard let start = times.min(), let end = times.max(), let low = values.min(), let high = values.max() else { return "" }
        let x = PlotAxis.time(start, end)
        let y = PlotAxis.values(low, high)
        func px(_ time: Double) -> String {
            Self.number(
                Self.left + (time - x.range.lowerBound) / (x.range.upperBound - x.range.lowerBound)
                    * (Self.width - Self.left - Self.right))
        }
        func py(_ value: Double) -> String {
            let share = (value - y.range.lowerBound) / (y.range.upperBound - y.range.lowerBound)
            return Self.number(Self.height - Self.bottom - share * (Self.height - Self.top - Self.bottom))
        }
        return axes(x, y, px, py) + band(px, py) + lines(px, py) + legend
    }

    private func axes(_ x: PlotAxis, _ y: PlotAxis, _ px: (Double) -> String, _ py: (Double) -> String) -> String {
        let rightEdge = Self.number(Self.width - Self.right)
        let baseline = Self.number(Self.height - Self.bottom)
        var text =
            "<text x=\"\(Self.number(Self.left))\" y=\"22\" font-size=\"15\" font-weight=\"bold\" fill=\"#1f2933\">\(Self.escaped(title))</text>\n"
        for tick in y.ticks {
            text +=
                "<line x1=\"\(Self.number(Self.left))\" x2=\"\(rightEdge)\" y1=\"\(py(tick.position))\" y2=\"\(py(tick.position))\" stroke=\"#e4e7eb\"/>\n"
            text +=
                "<text x=\"\(Self.number(Self.left - 8))\" y=\"\(py(tick.position))\" dy=\"4\" text-anchor=\"end\" fill=\"#616e7c\">\(tick.label)</text>\n"
        }
        for tick in x.ticks {
            let place = px(tick.position)
            text +=
                "<line x1=\"\(place)\" x2=\"\(place)\" y1=\"\(baseline)\" y2=\"\(Self.number(Self.height - Self.bottom + 5))\" stroke=\"#9aa5b1\"/>\n"
            text +=
                "<text x=\"\(place)\" y=\"\(Self.number(Self.height - Self.bottom + 20))\" text-anchor=\"middle\" fill=\"#616e7c\">\(tick.label)</text>\n"
        }
        if let first = forecast.timestamps.first {
            let place = px(Double(first))
            text +=
                "<line x1=\"\(place)\" x2=\"\(place)\" y1=\"\(Self.number(Self.top))\" y2=\"\(baseline)\" stroke=\"#9aa5b1\" stroke-dasharray=\"3 3\"/>\n"
        }
        return text
            + "<line x1=\"\(Self.number(Self.left))\" x2=\"\(rightEdge)\" y1=\"\(baseline)\" y2=\"\(baseline)\" stroke=\"#9aa5b1\"/>\n"
    }

    private func band(_ px: (Double) -> String, _ py: (Double) -> String) -> String {
        guard let low = quantiles.first?.values, let high = quantiles.last?.values, quantiles.count > 1 else { return "" }
        let times = forecast.timestamps.map(Double.init)
        let upper = zip(times, high).map { "\(px($0)),\(py($1))" }
        let lower = zip(times, low).map { "\(px($0)),\(py($1))" }.reversed()
        return "<polygon points=\"\((upper + lower).joined(separator: " "))\" fill=\"#2f80ed\" fill-opacity=\"0.22\"/>\n"
    }

    private func lines(_ px: (Double) -> String, _ py: (Double) -> String) -> String {
        var text = Self.path(history, "stroke=\"#3e4c59\" stroke-width=\"1.3\"", px, py)
        if let middle {
            let points = zip(forecast.timestamps, middle).map { Point(time: $0, value: $1) }
            text += Self.path(points, "stroke=\"#1b64c4\" stroke-width=\"2\"", px, py)
        }
        return text + Self.path(actual, "stroke=\"#d64545\" stroke-width=\"1.3\" stroke-dasharray=\"4 3\"", px, py)
    }

    private var legend: String {
        var entries = [("#3e4c59", "history")]
        if middle != nil {
            let nearest = quantiles.min { abs($0.probability - 0.5) < abs($1.probability - 0.5) }
            entries.append(("#1b64c4", nearest.map { "p\(Int(($0.probability * 100).rounded()))" } ?? "mean"))
        }
        if quantiles.count > 1, let first = quantiles.first, let last = quantiles.last {
            entries.append(
                ("#a9caf7", "p\(Int((first.probability * 100).rounded()))–p\(Int((last.probability * 100).rounded()))"))
        }
        if !actual.isEmpty { entries.append(("#d64545", "actual")) }
        var place = Self.width - Self.right - Double(entries.count) * 92
        var text = ""
        for (colour, name) in entries {
            text += "<rect x=\"\(Self.number(place))\" y=\"13\" width=\"16\" height=\"9\" rx=\"2\" fill=\"\(colour)\"/>"
            text += "<text x=\"\(Self.number(place + 21))\" y=\"22\" fill=\"#3e4c59\">\(name)</text>\n"
            place += 92
        }
        return text
    }

    /// A line that is lifted where a value is missing.
    private static func path(
        _ points: [Point], _ style: String, _ px: (Double) -> String, _ py: (Double) -> String
    ) -> String {
        var data = ""
        var isDown = false
        for point in points {
            guard point.value.isFinite else {
                isDown = false
                continue
            }
            data += "\(isDown ? "L" : "M")\(px(Double(point.time))) \(py(point.value))"
            isDown = true
        }
        return data.isEmpty ? "" : "<path d=\"\(data)\" fill=\"none\" stroke-linejoin=\"round\" \(style)/>\n"
    }

    /// With one decimal.
    private static func number(_ value: Double) -> String {
        let tenths = Int((value * 10).rounded())
        return tenths % 10 == 0 ? "\(tenths / 10)" : "\(tenths < 0 && tenths > -10 ? "-" : "")\(tenths / 10).\(abs(tenths % 10))"
    }

    private static func escaped(_ text: String) -> String {
        text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;").replacing(
            "\"", with: "&quot;")
    }
}
