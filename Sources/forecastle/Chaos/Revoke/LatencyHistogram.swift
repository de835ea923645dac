import Foundation

/// How many of some latencies lie in each of a few spans, as text and as SVG, stacked by series.
struct LatencyHistogram: Sendable {
    let title: String
    let series: [(name: String, milliseconds: [Double])]
    let boundMilliseconds: Double

    /// Upper ends; the first is for none at all, the last span is open.
    private static let ends = [0.0, 1, 2, 5, 10, 20, 50, 100, 250, .infinity]
    private static let colors = ["#2186eb", "#f7c948", "#3ebd93", "#e66a6a", "#8719e0", "#616e7c"]

    private static func label(_ index: Int) -> String {
        switch index {
        case 0: "none"
        case ends.count - 1: "> \(Int(ends[index - 1]))"
        default: "≤ \(Int(ends[index]))"
        }
    }

    private static func span(of value: Double) -> Int { ends.firstIndex { value <= $0 } ?? ends.count - 1 }

    /// By span, then by series.
    private var counts: [[Int]] {
        var counts = Array(repeating: Array(repeating: 0, count: series.count), count: Self.ends.count)
        for (index, one) in series.enumerated() {
            for value in one.milliseconds { counts[Self.span(of: value)][index] += 1 }
        }
        return counts
    }

    var lines: [String] {
        let counts = counts
        let largest = max(1, counts.map { $0.reduce(0, +) }.max() ?? 1)
        return counts.enumerated().map { index, parts in
            let count = parts.reduce(0, +)
            let label = Self.label(index) + (index == 0 ? "" : " ms")
            let bar = String(repeating: "█", count: (count * 40 + largest - 1) / largest)
            return "  \(String(repeating: " ", count: max(0, 9 - label.count)))\(label)  \(bar) \(count)"
        }
    }

    func svg(caption: String) -> String {
        let (width, height, left, top, bottom) = (960.0, 420.0, 60.0, 78.0, 346.0)
        let counts = counts
        let largest = Double(max(1, counts.map { $0.reduce(0, +) }.max() ?? 1))
        let step = (width - left - 30) / Double(Self.ends.count)
        var body = Self.text(20, 30, title, size: 16, weight: "bold")
        var x = 20.0
        for (index, one) in series.enumerated() {
            body += Self.rectangle(x, 44, 12, 12, Self.colors[index % Self.colors.count])
            body += Self.text(x + 18, 54, "\(one.name) (\(one.milliseconds.count))", size: 12)
            x += 46 + Double(one.name.count) * 6.6 + 20
        }
        for share in [0.0, 0.5, 1] {
            let y = bottom - (bottom - top) * share
            body += "<line x1=\"\(left)\" y1=\"\(y)\" x2=\"\(width - 30)\" y2=\"\(y)\" stroke=\"#e4e7eb\"/>\n"
            body += Self.text(left - 8, y + 4, "\(Int((largest * share).rounded()))", size: 11, color: "#616e7c", anchor: "end")
        }
        for (span, parts) in counts.enumerated() {
            let middle = left + step * (Double(span) + 0.5)
            var y = bottom
            for (index, count) in parts.enumerated() where count > 0 {
                let tall = (bottom - top) * Double(count) / largest
                y -= tall
                body += Self.rectangle(middle - step * 0.36, y, step * 0.72, tall, Self.colors[index % Self.colors.count])
            }
            let total = parts.reduce(0, +)
            if total > 0 { body += Self.text(middle, y - 5, "\(total)", size: 12, anchor: "middle") }
            body += Self.text(middle, bottom + 18, Self.label(span), size: 12, anchor: "middle")
        }
        if let span = Self.ends.firstIndex(of: boundMilliseconds) {
            let edge = left + step * Double(span + 1)
            body +=
                "<line x1=\"\(edge)\" y1=\"\(top - 6)\" x2=\"\(edge)\" y2=\"\(bottom)\" "
                + "stroke=\"#ba2525\" stroke-dasharray=\"5 4\"/>\n"
            body += Self.text(edge - 6, top + 18, "bound of the p99", size: 11, color: "#ba2525", anchor: "end")
        }
        body += Self.text(left + (width - left - 30) / 2, bottom + 38, "milliseconds", size: 12, anchor: "middle")
        body += Self.text(20, height - 12, caption, size: 11, color: "#616e7c")
        return "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 \(Int(width)) \(Int(height))\" width=\"\(Int(width))\" "
            + "height=\"\(Int(height))\" font-family=\"Helvetica, Arial, sans-serif\">\n"
            + "<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n\(body)</svg>\n"
    }

    private static func rectangle(_ x: Double, _ y: Double, _ width: Double, _ height: Double, _ color: String) -> String {
        "<rect x=\"\(Amount.decimals(x, 1))\" y=\"\(Amount.decimals(y, 1))\" width=\"\(Amount.decimals(width, 1))\" "
            + "height=\"\(Amount.decimals(height, 1))\" fill=\"\(color)\"/>\n"
    }

    private static func text(
        _ x: Double, _ y: Double, _ text: String, size: Int, weight: String = "normal", color: String = "#1f2933",
        anchor: String = "start"
    ) -> String {
        let escaped = text.replacing("&", with: "&amp;").replacing("<", with: "&lt;")
        return
            "<text x=\"\(Amount.decimals(x, 1))\" y=\"\(Amount.decimals(y, 1))\" font-size=\"\(size)\" font-weight=\"\(weight)\" "
            + "fill=\"\(color)\" text-anchor=\"\(anchor)\">\(escaped)</text>\n"
    }
}
