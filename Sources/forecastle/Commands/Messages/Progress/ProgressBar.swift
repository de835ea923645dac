import Glibc

/// The line that a pass draws on a terminal: bytes, share where the whole is known, rate, time left. Pure.
struct ProgressBar {
    private let verb: String
    private var last: (seconds: Double, bytes: Int)?
    /// Bytes a second; recent seconds count most.
    private var rate: Double?

    private static let rateSeconds = 3.0
    private static let barColumns = 10...40

    init(verb: String) { self.verb = verb }

    /// - Parameters:
    ///   - total: nil where nobody knows it, as with a pipe.
    ///   - seconds: since the pass began.
    ///   - columns: of the terminal; the line stays within them.
    mutating func line(bytes: Int, of total: Int?, seconds: Double, columns: Int) -> String {
        note(bytes, seconds)
        var parts = [Amount.bytes(Int64(bytes))]
        if let total { parts[0] += " of \(Amount.bytes(Int64(max(total, bytes))))" }
        if let rate, rate > 0 { parts.append("\(Amount.bytes(Int64(rate)))/s") }
        if let total, let rate, rate > 0 {
            parts.append("\(Amount.time(Double(max(0, total - bytes)) / rate)) left")
        } else {
            parts.append(Amount.time(seconds))
        }
        let text = parts.joined(separator: "  ")
        guard let total else { return fit("\(verb)  \(text)", columns) }
        let share = total > 0 ? min(1, Double(bytes) / Double(total)) : 1
        let percent = "\(Int(share * 100))%"
        let free = columns - 1 - verb.count - text.count - 12
        guard Self.barColumns.lowerBound <= free else { return fit("\(verb)  \(percent)  \(text)", columns) }
        let width = min(free, Self.barColumns.upperBound)
        let full = Int(share * Double(width))
        let bar = String(repeating: "#", count: full) + String(repeating: "-", count: width - full)
        let pad = String(repeating: " ", count: 4 - percent.count)
        return fit("\(verb)  [\(bar)] \(pad)\(percent)  \(text)", columns)
    }

    private mutating func note(_ bytes: Int, _ seconds: Double) {
        defer { last = (seconds, bytes) }
        let (before, since) = last.map { ($0.bytes, $0.seconds) } ?? (0, 0)
        guard seconds > since else { return }
        let recent = Double(bytes - before) / (seconds - since)
        guard let rate else {
            self.rate = recent
            return
        }
        self.rate = rate + (recent - rate) * (1 - exp((since - seconds) / Self.rateSeconds))
    }

    /// The last column stays free: some terminals go on to the next line when it is written.
    private func fit(_ text: String, _ columns: Int) -> String { String(text.prefix(max(columns - 1, 1))) }
}
