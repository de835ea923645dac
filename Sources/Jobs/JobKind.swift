/// What a job does. Workers claim the kinds they have a handler for and leave all others alone.
///
/// Shape: `[a-z][a-z0-9-]{0,62}`; it is part of the name of a Kafka topic.
package struct JobKind: Sendable, Hashable, RawRepresentable, CustomStringConvertible {
    package let rawValue: String

    package init(rawValue: String) {
        self.rawValue = rawValue
    }

    package static let `import` = JobKind(rawValue: "import")
    package static let train = JobKind(rawValue: "train")
    package static let forecast = JobKind(rawValue: "forecast")
    package static let backtestExport = JobKind(rawValue: "backtest-export")
    package static let forecastExport = JobKind(rawValue: "forecast-export")

    package var description: String { rawValue }
}
