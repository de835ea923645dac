import AWSProtocol
import Artifacts
import Envelope
import Forecasting
package import Jobs
import ObjectStore
import Secrets
import TimeSeries

/// Exports: a predictor's backtests or a forecast as CSV in the customer's bucket, sealed where the destination names a key.
///
/// There is no artifact of its own. Each task writes the files of one part under their final names; a failed or stopped job
/// leaves the parts that were complete, which are the customer's.
package struct ExportHandler: ResourceJobHandler {
    typealias Document = ExportDocument

    package let kind: JobKind
    let environment: PipelineEnvironment

    private init(_ kind: JobKind, _ environment: PipelineEnvironment) {
        self.kind = kind
        self.environment = environment
    }

    package static func backtests(environment: PipelineEnvironment) -> ExportHandler { .init(.backtestExport, environment) }
    package static func forecasts(environment: PipelineEnvironment) -> ExportHandler { .init(.forecastExport, environment) }

    func keys(of document: ExportDocument) -> [(key: ArtifactKey, use: GrantTerms.Use, manifest: ArtifactInput?)] {
        [(document.source.key, .read, document.source)]
    }

    package func plan(_ context: TaskContext) async throws -> [TaskSpecification] {
        let document = try document(of: context.job)
        _ = try await destination(document)
        return try await withSource(document, context) { source in
            try ExportTask.plan(chunks: source.reader.manifest.chunks.count).map {
                TaskSpecification(input: try JobJSON($0))
            }
        }
    }

    package func run(_ task: TaskSpecification, _ context: TaskContext) async throws {
        let document = try document(of: context.job)
        let part = try task.input.decoded(as: ExportTask.self)
        let (url, store) = try await destination(document)
        try await withSource(document, context) { source in
            var files: [ExportFile] = []
            do {
                for index in source.layout.files.indices {
                    files.append(try await file(index, part.part, document, url, store, source, context))
                    try await files[index].append(source.layout.files[index].header)
                }
                if part.hasChunk { try await write(part.part, source, to: files, context) }
                for file in files {
                    try context.checkStillOurs()
                    try await file.publish()
                }
            } catch {
                for file in files { await file.abort() }
                throw error
            }
        }
    }

    /// Every file is there: nothing else is recorded of an export.
    package func commit(_ context: TaskContext) async throws -> CommitRecord {
        let document = try document(of: context.job)
        let (url, store) = try await destination(document)
        return try await withSource(document, context) { source in
            for part in ExportTask.plan(chunks: source.reader.manifest.chunks.count) {
                for index in source.layout.files.indices {
                    let key = try url.key(file: source.layout.name(index, part: part.part, document: document))
                    guard try await store.head(key) != nil else {
                        throw JobError.final("Destination: \(key) was removed while the export ran.")
                    }
                }
            }
            return CommitRecord(manifest: nil)
        }
    }

    /// The source once more, and the destination's key by a data key that nobody gets to see.
    package func confirm(_ commit: CommitRecord, _ context: TaskContext) async throws {
        let document = try document(of: context.job)
        try await withSource(document, context) { source in
            guard let output = source.output else { return }
            let key = try await output.provider.generate(
                context: output.scope.context(kind: .export, attempt: context.attempt(), ordinal: 0))
            key.secret.wipe()
            try await output.lease.confirm()
        }
    }

    // MARK: Parts

    private func write(
        _ part: Int, _ source: Source, to files: [ExportFile], _ context: TaskContext
    ) async throws {
        guard source.reader.manifest.chunks.indices.contains(part) else {
            throw JobError.final("The job's tasks don't fit what it exports.")
        }
        let chunk = try await source.reader.chunk(part)
        var rows = 0
        for partition in try await chunk.index(source.layout.sourceKind).partitions where !partition.bytes.isEmpty {
            for record in try KeyedPartition.records(in: try await chunk.readWhole(partition.bytes), where: { _ in true }) {
                try context.checkStillOurs()
                for lease in source.leases { try lease.check() }
                for (index, file) in files.enumerated() {
                    try await file.append(try source.layout.files[index].rows(record.key, record.payload))
                }
                rows += 1
                context.progress(bytes: 0, rows: Int64(rows))
            }
        }
    }

    private func file(
        _ index: Int, _ part: Int, _ document: ExportDocument, _ url: S3URL, _ store: any ObjectStore, _ source: Source,
        _ context: TaskContext
    ) async throws -> ExportFile {
        let key: ObjectKey
        do {
            key = try url.key(file: source.layout.name(index, part: part, document: document))
        } catch {
            throw JobError.final("Destination: \(document.destination.path) can't hold files: \(error.message)")
        }
        guard let output = source.output else { return try await .plain(store, key) }
        return try await .sealed(
            store, key, output, attempt: context.attempt(), frameBytes: environment.sizes.frameBytes,
            ordinal: part * source.layout.files.count + index)
    }

    private func destination(_ document: ExportDocument) async throws -> (S3URL, any ObjectStore) {
        do {
            let url = try S3URL(document.destination.path)
            return (url, try await environment.buckets.store(url.bucket))
        } catch let error as ObjectStoreError where !error.isRetriable {
            throw JobError.final("Destination: \(document.destination.path) can't be written to: \(error.message)")
        }
    }

    /// What every task of an export works with.
    private struct Source: Sendable {
        let reader: ArtifactReader
        let layout: ExportLayout
        let output: ArtifactAccess?
        let leases: [KeyLease]
    }

    private func withSource<R: Sendable>(
        _ document: ExportDocument, _ context: TaskContext, _ body: @escaping @Sendable (Source) async throws -> R
    ) async throws -> R {
        let environment = environment
        let kind = kind
        let input = try await context.access(document.source.key, .read, environment)
        defer { input.release() }
        var output: ArtifactAccess?
        if let key = document.output { output = try await context.access(key, .write, environment) }
        defer { output?.release() }
        let sealed = output
        let leases = [input.lease] + (sealed.map { [$0.lease] } ?? [])
        return try await withKeyLeases(leases) {
            let reader = try await context.open(document.source, input, environment)
            let layout: ExportLayout
            if kind == .forecastExport {
                let forecast = try ForecastManifest(sections: reader.manifest.sections)
                layout = .forecast(ExportFormat(keyNames: forecast.keyNames, types: forecast.types))
            } else {
                let predictor = try PredictorManifest(sections: reader.manifest.sections)
                layout = .backtest(ExportFormat(keyNames: predictor.keyNames, types: predictor.settings.types))
            }
            return try await body(Source(reader: reader, layout: layout, output: sealed, leases: leases))
        }
    }
}
