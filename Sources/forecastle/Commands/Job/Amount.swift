import Foundation

/// Numbers as people read them.
enum Amount {
    static func decimals(_ value: Double, _ places: Int) -> String {
        value.isFinite ? String(format: "%.\(places)f", value) : "–"
    }

    /// `0.8 s`, `2 min 03 s`, `1 h 02 min`
    static func time(_ seconds: Double) -> String {
        guard seconds >= 59.95 else { return "\(decimals(max(seconds, 0), 1)) s" }
        let whole = Int(seconds.rounded())
        let (large, small, units) =
            whole < 3600 ? (whole / 60, whole % 60, ("min", "s")) : (whole / 3600, whole / 60 % 60, ("h", "min"))
        return "\(large) \(units.0) \(small < 10 ? "0" : "")\(small) \(units.1)"
    }

    /// `39.8 KiB`
    static func bytes(_ count: Int64) -> String {
        var value = Double(count)
        for unit in ["B", "KiB", "MiB", "GiB"] {
            if value < 1024 { return "\(decimals(value, unit == "B" ? 0 : 1)) \(unit)" }
            value /= 1024
        }
        return "\(decimals(value, 1)) TiB"
    }

    /// `1 chunk`, `3 chunks`
    static func count(_ number: some BinaryInteger, _ noun: String) -> String { "\(number) \(noun)\(number == 1 ? "" : "s")" }
}
