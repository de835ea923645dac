/// One metric: its name, what it counts and how. Whatever is counted is named here and nowhere else.
///
/// Counters get `_total` when they are rendered; times are in seconds, sizes in bytes, and the unit is the name's end. Labels
/// hold kinds, states and codes, never ids, ARNs or values of customers: their number must stay small.
package struct MetricName: Sendable, Hashable {
    package enum Kind: Sendable, Hashable {
        case counter
        case gauge
        /// With the upper bounds of its buckets, ascending; the last one, +Inf, is not named.
        case histogram([Double])
    }

    package let text: String
    package let kind: Kind
    package let help: String
    package let labels: [String]

    init(_ kind: Kind, _ text: String, _ help: String, labels: [String] = []) {
        self.kind = kind
        self.text = text
        self.help = help
        self.labels = labels
    }

    static func counter(_ text: String, _ help: String, _ labels: String...) -> MetricName {
        MetricName(.counter, text, help, labels: labels)
    }

    static func gauge(_ text: String, _ help: String, _ labels: String...) -> MetricName {
        MetricName(.gauge, text, help, labels: labels)
    }

    static func histogram(_ text: String, _ buckets: [Double], _ help: String, _ labels: String...) -> MetricName {
        MetricName(.histogram(buckets), text, help, labels: labels)
    }

    /// As Prometheus knows it.
    package var rendered: String { kind == .counter ? text + "_total" : text }

    package static let all = jobs + grantsAndKeys + edges + platform

    static let byText = Dictionary(uniqueKeysWithValues: all.map { ($0.text, $0) })

    /// Answers of an edge or a database: from half a millisecond to the longest that anybody waits.
    static let callBuckets = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]
    /// Work: from a fiftieth of a second to hours.
    static let workBuckets = [0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600, 14_400]
}
