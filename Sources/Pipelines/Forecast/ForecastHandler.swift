import AWSProtocol
import Artifacts
import Forecasting
package import Jobs
import TimeSeries

/// Forecasting: every series of a predictor is forecast for its horizon, under the forecast's key.
package struct ForecastHandler: ResourceJobHandler {
    typealias Document = ForecastDocument

    package let kind = JobKind.forecast
    let environment: PipelineEnvironment

    package init(environment: PipelineEnvironment) {
        self.environment = environment
    }

    func keys(of document: ForecastDocument) -> [(key: ArtifactKey, use: GrantTerms.Use, manifest: ArtifactInput?)] {
        [(document.output, .write, nil), (document.predictor.key, .read, document.predictor)]
    }

    package func plan(_ context: TaskContext) async throws -> [TaskSpecification] {
        try await withPredictor(context) { source in
            try source.reader.manifest.chunks.indices.map {
                TaskSpecification(input: try JobJSON(ForecastTask(chunk: $0)))
            }
        }
    }

    package func run(_ task: TaskSpecification, _ context: TaskContext) async throws {
        let number = try task.input.decoded(as: ForecastTask.self).chunk
        let environment = environment
        try await withPredictor(context) { source in
            guard source.reader.manifest.chunks.indices.contains(number) else {
                throw JobError.final("The job's tasks don't fit its predictor.")
            }
            let attempt = ForecastAttempt(
                predictor: source.predictor, types: source.types, chunk: try await source.reader.chunk(number),
                leases: source.leases, writer: context.writer(source.output, environment), limits: environment.limits,
                context: context)
            try await attempt.run()
        }
    }

    package func commit(_ context: TaskContext) async throws -> CommitRecord {
        let environment = environment
        return try await withPredictor(context) { source in
            let chunks = try await context.chunksOfAllTasks()
            let series = Int(chunks.reduce(0) { $0 + $1.rows })
            guard series == source.predictor.series else {
                throw JobError.final("The forecast does not have every series of its predictor.")
            }
            let manifest = ForecastManifest(
                keyNames: source.predictor.keyNames, grid: source.predictor.settings.grid, types: source.types,
                horizon: source.predictor.settings.horizon, series: series)
            return try await context.writeManifest(
                manifest.sections, chunks: try chunks.map { try $0.detail.pin() }, source.output, environment)
        }
    }

    /// What every task of a forecast works with.
    private struct Source: Sendable {
        let reader: ArtifactReader
        let predictor: PredictorManifest
        let types: [ForecastType]
        let output: ArtifactAccess
        let leases: [KeyLease]
    }

    /// Runs `body` with both keys and the predictor open, while both may be used.
    private func withPredictor<R: Sendable>(
        _ context: TaskContext, _ body: @escaping @Sendable (Source) async throws -> R
    ) async throws -> R {
        let document = try document(of: context.job)
        let types = try ForecastType.list(parsing: document.forecastTypes)
        let environment = environment
        let output = try await context.access(document.output, .write, environment)
        defer { output.release() }
        let input = try await context.access(document.predictor.key, .read, environment)
        defer { input.release() }
        let leases = [output.lease, input.lease]
        return try await withKeyLeases(leases) {
            let reader = try await context.open(document.predictor, input, environment)
            return try await body(
                Source(
                    reader: reader, predictor: try PredictorManifest(sections: reader.manifest.sections), types: types,
                    output: output, leases: leases))
        }
    }
}
