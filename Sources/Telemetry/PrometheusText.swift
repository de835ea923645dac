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
            let labels = identity.labels.isEmpty ? "" : "{" + identity.labels.joined(separator: ",") + "}"
            if lastName != name { text += "# TYPE \(name) \(kind.rawValue)\n" }
            lastName = name
            switch kind {
            case .counter, .gauge: text += "\(name)\(labels) \(number(reading.value))\n"
            case .summary:
                text += "\(name)_sum\(labels) \(number(reading.value))\n"
                text += "\(name)_count\(labels) \(reading.observations)\n"
            }
        }
        return text
    }

    static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
        return value == value.rounded() && value.magnitude < 0x1p53 ? String(Int64(value)) : String(value)
    }
}
