import AWSProtocol
import Artifacts
import Forecasting
package import Jobs
import TimeSeries

/// Training: every series of the imports gets its models and its backtests, under the predictor's key.
package struct TrainHandler: ResourceJobHandler {
    typealias Document = TrainDocument

    package let kind = JobKind.train
    let environment: PipelineEnvironment

    package init(environment: PipelineEnvironment) {
        self.environment = environment
    }

    func keys(of document: TrainDocument) -> [(key: ArtifactKey, use: GrantTerms.Use, manifest: ArtifactInput?)] {
        [(document.output, .write, nil)] + document.inputs.map { ($0.key, .read, $0) }
    }

    package func plan(_ context: TaskContext) async throws -> [TaskSpecification] {
        try await withTraining(context) { terms, access, data, environment in
            _ = try terms.settings(for: data.extent)
            return try TrainShare.split(rows: data.extent.rows).map { TaskSpecification(input: try JobJSON($0)) }
        }
    }

    package func run(_ task: TaskSpecification, _ context: TaskContext) async throws {
        let share = try task.input.decoded(as: TrainShare.self).hashShare
        try await withTraining(context) { terms, access, data, environment in
            let attempt = TrainAttempt(
                terms: terms, data: data, settings: try terms.settings(for: data.extent), share: share, access: access,
                writer: context.writer(access.output, environment), limits: environment.limits, context: context)
            try await attempt.run()
        }
    }

    package func commit(_ context: TaskContext) async throws -> CommitRecord {
        try await withTraining(context) { terms, access, data, environment in
            let settings = try terms.settings(for: data.extent)
            let windows = settings.windows(globalEnd: data.extent.latest)
            let pins = try await context.pinsOfAllTasks()
            var sums = AccuracySums(settings: settings, windows: windows)
            var series = 0
            for pin in pins {
                try context.checkStillOurs()
                let chunk = try await ArtifactReader.chunk(pin, store: environment.artifacts, access: access.output)
                let index = try await chunk.index(.fittedSeries)
                let statistics = try await chunk.read(index.statistics)
                try sums.merge(try AccuracySums(decoding: statistics, settings: settings, windows: windows))
                series += index.itemCount
            }
            guard series > 0 else {
                throw JobError.final("The data hold no series with a value to train on; import rows with target values.")
            }
            let manifest = PredictorManifest(
                keyNames: terms.keyNames, settings: settings, transformations: terms.transformations,
                globalEnd: data.extent.latest, series: series, evaluation: EvaluationResults.json(sums.report))
            return try await context.writeManifest(manifest.sections, chunks: pins, access.output, environment)
        }
    }

    /// Runs `body` with all keys of the job and its imports open, while all of them may be used.
    private func withTraining<R: Sendable>(
        _ context: TaskContext,
        _ body: @escaping @Sendable (TrainingTerms, TrainingAccess, TrainingData, PipelineEnvironment) async throws -> R
    ) async throws -> R {
        let document = try document(of: context.job)
        let terms = try TrainingTerms(document)
        let environment = environment
        let access = try await TrainingAccess(document, context, environment)
        defer { access.release() }
        return try await withKeyLeases(access.leases) {
            try await body(terms, access, try await TrainingData(access, context, environment), environment)
        }
    }
}
