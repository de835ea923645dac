package import Logging

/// What the work of a task is about: each line that is logged meanwhile, by whatever room, carries it.
package struct LogScope: Sendable {
    package var requestID: String?
    package var job: String?
    package var task: String?
    package var attempt: Int?
    package var kind: String?

    package init(
        requestID: String? = nil, job: String? = nil, task: String? = nil, attempt: Int? = nil, kind: String? = nil
    ) {
        self.requestID = requestID
        self.job = job
        self.task = task
        self.attempt = attempt
        self.kind = kind
    }

    @TaskLocal package static var current: LogScope?

    /// Runs `body` as this work, in this place of a trace.
    nonisolated(nonsending) package func run<R, Failure: Error>(
        trace: TraceContext?, _ body: () async throws(Failure) -> R
    ) async throws(Failure) -> R {
        let outcome: Result<R, Failure> = await Self.$current.withValue(self) {
            await TraceContext.$current.withValue(trace) {
                do throws(Failure) { return .success(try await body()) } catch { return .failure(error) }
            }
        }
        return try outcome.get()
    }

    /// At what level a step of the work at hand is told: for a sampled trace at one that is logged.
    package static var stepLevel: Logger.Level { TraceContext.current?.isSampled == true ? .info : .debug }

    /// For `LoggingSystem.bootstrap`. Made anew for each line, and only for lines that are logged.
    package static let provider = Logger.MetadataProvider {
        var metadata: Logger.Metadata = [:]
        if let scope = current {
            metadata[LogField.requestID] = scope.requestID.map { "\($0)" }
            metadata[LogField.job] = scope.job.map { "\($0)" }
            metadata[LogField.task] = scope.task.map { "\($0)" }
            metadata[LogField.attempt] = scope.attempt.map { "\($0)" }
            metadata[LogField.kind] = scope.kind.map { "\($0)" }
        }
        if let trace = TraceContext.current {
            metadata[LogField.traceID] = "\(trace.traceID)"
            metadata[LogField.spanID] = "\(trace.spanID)"
        }
        return metadata
    }
}
