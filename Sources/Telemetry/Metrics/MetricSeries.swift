import CoreMetrics
import Synchronization

/// The numbers of one name and one set of labels.
package final class MetricSeries: Sendable {
    enum Kind: Equatable {
        case counter, gauge, summary
        case histogram([Double])

        var word: String {
            switch self {
            case .counter: "counter"
            case .gauge: "gauge"
            case .summary: "summary"
            case .histogram: "histogram"
            }
        }
    }

    struct Reading: Equatable {
        /// Counters: the count. Gauges: the last value. Summaries and histograms: the sum.
        var value = 0.0
        var observations = 0
        /// Of a histogram: observations of each bucket alone, +Inf last.
        var buckets: [Int] = []
    }

    let kind: Kind
    private let state: Mutex<Reading>

    init(kind: Kind) {
        self.kind = kind
        var reading = Reading()
        if case .histogram(let bounds) = kind { reading.buckets = Array(repeating: 0, count: bounds.count + 1) }
        state = Mutex(reading)
    }

    var reading: Reading { state.withLock { $0 } }

    private func add(_ value: Double) {
        state.withLock {
            $0.value += value
            $0.observations += 1
            guard case .histogram(let bounds) = kind else { return }
            $0.buckets[bounds.firstIndex { value <= $0 } ?? bounds.count] += 1
        }
    }
}

extension MetricSeries: CounterHandler {
    package func increment(by amount: Int64) { add(Double(amount)) }
    package func reset() {
        state.withLock { $0 = Reading(buckets: Array(repeating: 0, count: $0.buckets.count)) }
    }
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
