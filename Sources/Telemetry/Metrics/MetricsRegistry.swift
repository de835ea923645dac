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

    private struct State {
        var series: [Identity: MetricSeries] = [:]
        var dropped = 0
        var readers: [@Sendable () -> Void] = []
    }

    private let maximumSeries: Int
    private let state = Mutex(State())

    package init(maximumSeries: Int = defaultMaximumSeries) { self.maximumSeries = maximumSeries }

    package func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        makeSeries(label, dimensions, kind: .counter)
    }

    package func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
        makeSeries(label, dimensions, kind: .gauge)
    }

    package func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool) -> any RecorderHandler {
        makeSeries(label, dimensions, kind: aggregate ? distribution(label) : .gauge)
    }

    package func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        makeSeries(label, dimensions, kind: distribution(label))
    }

    // Series live as long as the process: a counter that vanishes and comes back at zero confuses whoever scrapes it.
    package func destroyCounter(_ handler: any CounterHandler) {}
    package func destroyMeter(_ handler: any MeterHandler) {}
    package func destroyRecorder(_ handler: any RecorderHandler) {}
    package func destroyTimer(_ handler: any TimerHandler) {}

    /// A histogram where `MetricName` has buckets for it.
    private func distribution(_ label: String) -> MetricSeries.Kind {
        if case .histogram(let bounds)? = MetricName.byText[label]?.kind { .histogram(bounds) } else { .summary }
    }

    private func makeSeries(_ label: String, _ dimensions: [(String, String)], kind: MetricSeries.Kind) -> MetricSeries {
        let identity = Self.identity(label, dimensions)
        return state.withLock { state in
            if let known = state.series[identity], known.kind == kind { return known }
            let fresh = MetricSeries(kind: kind)
            add(fresh, identity, to: &state)
            return fresh
        }
    }

    private func add(_ series: MetricSeries, _ identity: Identity, to state: inout State) {
        guard state.series[identity] == nil else { return }
        if state.series.count < maximumSeries { state.series[identity] = series } else { state.dropped += 1 }
    }

    private static func identity(_ label: String, _ dimensions: [(String, String)]) -> Identity {
        Identity(
            name: PrometheusText.name(label), labels: dimensions.map { PrometheusText.label($0.0, $0.1) }.sorted())
    }

    /// All series of a name at once, in place of those there were.
    func replace(_ name: MetricName, _ rows: [(labels: Measure.Labels, value: Double)]) {
        let kind: MetricSeries.Kind = name.kind == .counter ? .counter : .gauge
        let fresh = rows.map { row in
            let series = MetricSeries(kind: kind)
            series.set(row.value)
            return (Self.identity(name.text, row.labels), series)
        }
        state.withLock { state in
            let former = state.series.keys.filter { $0.name == name.text }
            for identity in former { state.series[identity] = nil }
            for (identity, series) in fresh { add(series, identity, to: &state) }
        }
    }

    /// Requests for series beyond the bound.
    package var droppedSeries: Int { state.withLock { $0.dropped } }

    /// `reader` sets what is read and not counted (memory, connections in use) and is called before each rendering. It must not
    /// wait.
    package func beforeRendering(_ reader: @escaping @Sendable () -> Void) {
        state.withLock { $0.readers.append(reader) }
    }

    /// Prometheus text exposition format, version 0.0.4.
    package func prometheusText() -> String {
        for reader in state.withLock({ $0.readers }) { reader() }
        let snapshot = state.withLock { $0.series }
        return PrometheusText.render(snapshot.sorted { $0.key < $1.key }.map { ($0.key, $0.value.kind, $0.value.reading) })
    }
}
