/// Prometheus text exposition format 0.0.4 (prometheus.io, "Exposition formats").
enum PrometheusText {
    /// `[a-zA-Z_:][a-zA-Z0-9_:]*`; whatever else becomes an underscore.
    static func name(_ text: String) -> String {
        let allowed = text.map { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_" || $0 == ":") ? $0 : "_" }
        return (allowed.first?.isNumber == false ? "" : "_") + String(allowed)
    }

    /// `name="value"` with backslash, quote and newline escaped.
    static func label(_ name: String, _ value: String) -> String {
        var escaped = ""
        for character in value.unicodeScalars {
            switch character {
            case "\\": escaped += "\\\\"
            case "\"": escaped += "\\\""
            case "\n": escaped += "\\n"
            default: escaped.unicodeScalars.append(character)
            }
        }
        return "\(Self.name(name))=\"\(escaped)\""
    }

    /// `series` is sorted, so that a name's lines stand together below its type.
    static func render(
        _ series: [(identity: MetricsRegistry.Identity, kind: MetricSeries.Kind, reading: MetricSeries.Reading)]
    ) -> String {
        var text = ""
        var lastName: String?
        for (identity, kind, reading) in series {
            let name = kind == .counter && !identity.name.hasSuffix("_total") ? identity.name + "_total" : identity.name
            if lastName != name {
                if let known = MetricName.byText[identity.name] { text += "# HELP \(name) \(help(known.help))\n" }
                text += "# TYPE \(name) \(kind.word)\n"
            }
            lastName = name
            switch kind {
            case .counter, .gauge: text += "\(name)\(braced(identity.labels)) \(number(reading.value))\n"
            case .summary, .histogram:
                if case .histogram(let bounds) = kind { appendBuckets(bounds, of: reading, name, identity.labels, to: &text) }
                text += "\(name)_sum\(braced(identity.labels)) \(number(reading.value))\n"
                text += "\(name)_count\(braced(identity.labels)) \(reading.observations)\n"
            }
        }
        return text
    }

    /// Each line counts what is at most its bound, so the counts grow from line to line.
    private static func appendBuckets(
        _ bounds: [Double], of reading: MetricSeries.Reading, _ name: String, _ labels: [String], to text: inout String
    ) {
        var count = 0
        for (bound, observations) in zip(bounds + [.infinity], reading.buckets) {
            count += observations
            text += "\(name)_bucket\(braced(labels + [label("le", number(bound))])) \(count)\n"
        }
    }

    private static func braced(_ labels: [String]) -> String {
        labels.isEmpty ? "" : "{" + labels.joined(separator: ",") + "}"
    }

    private static func help(_ text: String) -> String {
        text.replacing("\\", with: "\\\\").replacing("\n", with: "\\n")
    }

    static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
        return value == value.rounded() && value.magnitude < 0x1p53 ? String(Int64(value)) : String(value)
    }
}
