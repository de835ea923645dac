import CoreMetrics

/// How rooms count: by a name of `MetricName`, into whatever the process has bootstrapped; nowhere where it has nothing.
package enum Measure {
    package typealias Labels = [(String, String)]

    /// By 0 makes the series: what has not happened yet is then seen as 0 and not missing.
    package static func count(_ name: MetricName, _ labels: Labels = [], by number: Int = 1) {
        Counter(label: name.text, dimensions: labels).increment(by: number)
    }

    package static func set(_ name: MetricName, _ labels: Labels = [], to value: Double) {
        Meter(label: name.text, dimensions: labels).set(value)
    }

    package static func observe(_ name: MetricName, _ labels: Labels = [], _ duration: Duration) {
        time(name, labels).record(duration)
    }

    /// The series of a histogram, for who observes it often.
    package static func time(_ name: MetricName, _ labels: Labels = []) -> MeasuredTime {
        MeasuredTime(timer: Timer(label: name.text, dimensions: labels))
    }

    /// All series of a name at once, in place of those there were: what is not in `rows` is not rendered any more.
    package static func replace(_ name: MetricName, _ rows: [(labels: Labels, value: Double)]) {
        (MetricsSystem.factory as? MetricsRegistry)?.replace(name, rows)
    }
}

/// One series of a histogram of times.
package struct MeasuredTime: Sendable {
    let timer: Timer

    package func record(_ duration: Duration) {
        let (seconds, attoseconds) = duration.components
        timer.recordNanoseconds(seconds * 1_000_000_000 + attoseconds / 1_000_000_000)
    }
}

extension Duration {
    package var inSeconds: Double { Double(components.seconds) + Double(components.attoseconds) / 1e18 }
}
