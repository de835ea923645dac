import CoreMetrics
import Synchronization

/// The numbers of one name and one set of labels.
package final class MetricSeries: Sendable {
    enum Kind: String { case counter, gauge, summary }

    struct Reading: Equatable {
        /// Counters: the count. Gauges: the last value. Summaries: the sum.
        var value = 0.0
        var observations = 0
    }

    let kind: Kind
    private let state = Mutex(Reading())

    init(kind: Kind) { self.kind = kind }

    var reading: Reading { state.withLock { $0 } }

    private func add(_ value: Double) {
        state.withLock {
            $0.value += value
            $0.observations += 1
        }
    }
}

extension MetricSeries: CounterHandler {
    package func increment(by amount: Int64) { add(Double(amount)) }
    package func reset() { state.withLock { $0 = Reading() } }
}

extension MetricSeries: MeterHandler {
    package func set(_ value: Int64) { set(Double(value)) }
    package func set(_ value: Double) { state.withLock { $0.value = value } }
    package func increment(by amount: Double) { add(amount) }
    package func decrement(by amount: Double) { add(-amount) }
}

extension MetricSeries: RecorderHandler {
    package func record(_ value: Int64) { record(Double(value)) }
    package func record(_ value: Double) { if kind == .gauge { set(value) } else { add(value) } }
}

extension MetricSeries: TimerHandler {
    package func recordNanoseconds(_ duration: Int64) { add(Double(duration) / 1_000_000_000) }
}
