import CoreMetrics
package import Logging
import Synchronization

/// Counts and times one request of an edge and, once its caller is known, tells of it.
package final class RequestMeter: Sendable {
    private static let unknown = "unknown"

    private struct State {
        var service: String
        var operation = unknown
        var isAuthenticated = false
    }

    private let began = ContinuousClock.now
    private let state: Mutex<State>

    package init(service: String = unknown) { state = Mutex(State(service: service)) }

    /// Only with names that the service has: what else a client may call them would be labels without end.
    package func isOf(service: String, operation: String?) {
        state.withLock {
            $0.service = service
            $0.operation = operation ?? Self.unknown
        }
    }

    /// From here on the request is worth a line: before, anybody could fill the log.
    package func authenticated() { state.withLock { $0.isAuthenticated = true } }

    package func answered(_ code: String = "OK", logger: Logger) {
        let state = state.withLock { $0 }
        let time = ContinuousClock.now - began
        let (count, timer) = Self.series(state.service, state.operation, code)
        count.increment()
        timer.record(time)
        let level = state.isAuthenticated ? LogScope.stepLevel : .debug
        logger.log(
            level: level, "request answered",
            metadata: [
                LogField.service: "\(state.service)", LogField.operation: "\(state.operation)", LogField.code: "\(code)",
                LogField.seconds: "\(time.inSeconds)",
            ])
    }

    // Kept, because an edge that answers thousands a second should not write labels for each.
    private struct Key: Hashable {
        let service: String
        let operation: String
        let code: String
    }

    private static let known = Mutex<[Key: (Counter, MeasuredTime)]>([:])
    private static let knownMax = 4096

    private static func series(_ service: String, _ operation: String, _ code: String) -> (Counter, MeasuredTime) {
        let key = Key(service: service, operation: operation, code: code)
        return known.withLock { known in
            if let series = known[key] { return series }
            let labels = [("service", service), ("operation", operation)]
            let series = (
                Counter(label: MetricName.requests.text, dimensions: labels + [("code", code)]),
                Measure.time(.requestSeconds, labels)
            )
            if known.count < knownMax { known[key] = series }
            return series
        }
    }
}
