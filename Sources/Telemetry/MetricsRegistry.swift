package import CoreMetrics
import Synchronization

/// A back end of swift-metrics that keeps numbers in memory and renders them as Prometheus text.
///
/// `MetricsSystem.bootstrap(registry)` once in a process. Asking for the same name and labels again gives the same series.
package final class MetricsRegistry: MetricsFactory, Sendable {
    /// Series of a process. Labels are few by rule (`MetricName`); should one run wild, the rest is counted nowhere.
    package static let defaultMaximumSeries = 2048

    struct Identity: Hashable, Comparable {
        let name: String
        let labels: [String]

        static func < (a: Self, b: Self) -> Bool {
            a.name == b.name ? a.labels.lexicographicallyPrecedes(b.labels) : a.name < b.name
        }
    }

    private let maximumSeries: Int
    private let series = Mutex<[Identity: MetricSeries]>([:])

    package init(maximumSeries: Int = defaultMaximumSeries) { self.maximumSeries = maximumSeries }

    package func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        makeSeries(label, dimensions, kind: .counter)
    }

    package func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
        makeSeries(label, dimensions, kind: .gauge)
    }

    package func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool) -> any RecorderHandler {
        makeSeries(label, dimensions, kind: aggregate ? .summary : .gauge)
    }

    package func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        makeSeries(label, dimensions, kind: .summary)
    }

    // Series live as long as the process: a counter that vanishes and comes back at zero confuses whoever scrapes it.
    package func destroyCounter(_ handler: any CounterHandler) {}
    package func destroyMeter(_ handler: any MeterHandler) {}
    package func destroyRecorder(_ handler: any RecorderHandler) {}
    package func destroyTimer(_ handler: any TimerHandler) {}

    private func makeSeries(_ label: String, _ dimensions: [(String, String)], kind: MetricSeries.Kind) -> MetricSeries {
        let identity = Identity(
            name: PrometheusText.name(label),
            labels: dimensions.map { PrometheusText.label($0.0, $0.1) }.sorted())
        return series.withLock { series in
            if let known = series[identity], known.kind == kind { return known }
            let fresh = MetricSeries(kind: kind)
            if series[identity] == nil && series.count < maximumSeries { series[identity] = fresh }
            return fresh
        }
    }

    /// Prometheus text exposition format, version 0.0.4.
    package func prometheusText() -> String {
        let snapshot = series.withLock { $0 }
        return PrometheusText.render(snapshot.sorted { $0.key < $1.key }.map { ($0.key, $0.value.kind, $0.value.reading) })
    }
}
