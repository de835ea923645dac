import Foundation

/// Horizontal bars in groups, as SVG: the median of each with a whisker from its lowest to its highest.
struct BarChart {
    struct Bar {
        let label: String
        let value: Spread
        /// Ours are coloured, peers grey.
        let isOurs: Bool
    }

    struct Panel {
        let title: String
        /// Which end is good: "less is better".
        let hint: String
        let places: Int
        let groups: [(title: String, bars: [Bar])]
    }

    let panels: [Panel]
    let caption: String

    private static let width = 960.0
    private static let left = 250.0
    private static let right = 150.0
    private static let barStep = 22.0
    private static let barHeight = 15.0
    private static let groupTitle = 24.0
    private static let panelTitle = 44.0
    private static let margin = 20.0

    func svg() -> String {
        var (y, body) = (10.0, "")
        for panel in panels { body += Self.draw(panel, &y) }
        y += 14
        body += Self.text(Self.margin, y, caption, size: 11, color: "#616e7c")
        let height = Int(y + 14)
        let size = "viewBox=\"0 0 \(Int(Self.width)) \(height)\" width=\"\(Int(Self.width))\" height=\"\(height)\""
        return "<svg xmlns=\"http://www.w3.org/2000/svg\" \(size) font-family=\"Helvetica, Arial, sans-serif\">\n"
            + "<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n\(body)</svg>\n"
    }

    private static func draw(_ panel: Panel, _ y: inout Double) -> String {
        let largest = panel.groups.flatMap(\.bars).map(\.value.high).max() ?? 0
        guard largest > 0 else { return "" }
        let scale = (width - left - right) / largest
        y += panelTitle - 20
        var body = text(margin, y, panel.title, size: 15, weight: "bold")
        body += text(width - margin, y, panel.hint, size: 11, color: "#616e7c", anchor: "end")
        y += 6
        for group in panel.groups where !group.bars.isEmpty {
            y += groupTitle - 6
            body += text(margin, y, group.title, size: 12, weight: "bold", color: "#52606d")
            y += 8
            let top = y
            for bar in group.bars {
                let middle = y + barHeight / 2
                body += text(left - 8, middle + 4, bar.label, size: 12, anchor: "end")
                body += "<rect x=\"\(number(left))\" y=\"\(number(y))\" width=\"\(number(bar.value.median * scale))\" "
                body += "height=\"\(number(barHeight))\" rx=\"2\" fill=\"\(bar.isOurs ? "#2186eb" : "#b8c2cc")\"/>\n"
                body += line(left + bar.value.low * scale, middle, left + bar.value.high * scale, middle, "#323f4b")
                let label = Amount.decimals(bar.value.median, panel.places)
                body += text(left + bar.value.high * scale + 8, middle + 4, label, size: 12)
                y += barStep
            }
            body += line(left, top - 3, left, y - barStep + barHeight + 3, "#9aa5b1")
        }
        return body
    }

    private static func line(_ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double, _ color: String) -> String {
        "<line x1=\"\(number(x1))\" y1=\"\(number(y1))\" x2=\"\(number(x2))\" y2=\"\(number(y2))\" stroke=\"\(color)\"/>\n"
    }

    private static func text(
        _ x: Double, _ y: Double, _ text: String, size: Int, weight: String = "normal", color: String = "#1f2933",
        anchor: String = "start"
    ) -> String {
        let escaped = text.replacingOccurrences(of: "&", with: "&amp;").replacingOccurrences(of: "<", with: "&lt;")
        return "<text x=\"\(number(x))\" y=\"\(number(y))\" font-size=\"\(size)\" font-weight=\"\(weight)\" "
            + "fill=\"\(color)\" text-anchor=\"\(anchor)\">\(escaped)</text>\n"
    }

    private static func number(_ value: Double) -> String { Amount.decimals(value, 1) }
}
