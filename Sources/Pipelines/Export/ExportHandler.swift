import AWSProtocol
import Artifacts
import Envelope
import Forecasting
package import Jobs
import ObjectStore
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
        let destination = try await Destination(document, environment, context.job)
        return try await withSource(document, context) { source in
            let parts = source.parts
            // The last part has the longest name: a path that can't hold it is refused before anything is written.
            for file in source.layout.files.indices {
                _ = try await destination.key(file, part: parts.count - 1, of: source.layout)
            }
            return try parts.map { TaskSpecification(input: try JobJSON($0)) }
        }
    }

    package func run(_ task: TaskSpecification, _ context: TaskContext) async throws {
        let document = try document(of: context.job)
        let part = try task.input.decoded(as: ExportTask.self)
        let destination = try await Destination(document, environment, context.job)
        try await withSource(document, context) { source in
            var files: [ExportFile] = []
            do {
                for index in source.layout.files.indices {
                    files.append(try await file(index, part.part, destination, source, context))
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

    /// Every file is there, and says that it is this export's where it is sealed: nothing else is recorded of an export.
    package func commit(_ context: TaskContext) async throws -> CommitRecord {
        let document = try document(of: context.job)
        let destination = try await Destination(document, environment, context.job)
        return try await withSource(document, context) { source in
            for part in source.parts {
                for index in source.layout.files.indices {
                    try context.checkStillOurs()
                    let key = try await destination.key(index, part: part.part, of: source.layout)
                    let isThere = try await Destination.of(key) {
                        guard let output = source.output else { return try await destination.store.head(key) != nil }
                        return try await SealedFile(store: destination.store, key: key, access: output)
                            .claims(source.expectation(index, part.part, output, context))
                    }
                    guard isThere else { throw Self.removed(key) }
                }
            }
            return CommitRecord(manifest: nil)
        }
    }

    /// The source once more, and the destination's key by the first file's own data key.
    package func confirm(_ commit: CommitRecord, _ context: TaskContext) async throws {
        let document = try document(of: context.job)
        let destination = try await Destination(document, environment, context.job)
        try await withSource(document, context) { source in
            guard let output = source.output else { return }
            let key = try await destination.key(0, part: 0, of: source.layout)
            let isOurs = try await Destination.of(key) {
                try await SealedFile(store: destination.store, key: key, access: output)
                    .opens(source.expectation(0, 0, output, context))
            }
            guard isOurs else { throw Self.removed(key) }
        }
    }

    private static func removed(_ key: ObjectKey) -> JobError {
        .final("Destination: \(key) was removed or replaced while the export ran.")
    }

    // MARK: Parts

    /// Rows of a file that are gathered before they are handed on.
    private static let batchBytes = 1 << 20

    private func write(
        _ part: Int, _ source: Source, to files: [ExportFile], _ context: TaskContext
    ) async throws {
        guard source.reader.manifest.chunks.indices.contains(part) else {
            throw JobError.final("The job's tasks don't fit what it exports.")
        }
        let chunk = try await source.reader.chunk(part)
        var rows = [[UInt8]](repeating: [], count: files.count)
        var records: Int64 = 0
        for partition in try await chunk.index(source.layout.sourceKind).partitions where !partition.bytes.isEmpty {
            for record in try KeyedPartition.records(in: try await chunk.readWhole(partition.bytes), where: { _ in true }) {
                try context.checkStillOurs()
                for lease in source.leases { try lease.check() }
                for (index, file) in files.enumerated() {
                    rows[index] += try source.layout.files[index].rows(record.key, record.payload)
                    guard rows[index].count >= Self.batchBytes else { continue }
                    try await file.append(rows[index])
                    rows[index].removeAll(keepingCapacity: true)
                }
                records += 1
                context.progress(bytes: 0, rows: records)
            }
        }
        for (file, rest) in zip(files, rows) { try await file.append(rest) }
    }

    private func file(
        _ index: Int, _ part: Int, _ destination: Destination, _ source: Source, _ context: TaskContext
    ) async throws -> ExportFile {
        let key = try await destination.key(index, part: part, of: source.layout)
        guard let output = source.output else { return try await .plain(destination.store, key) }
        return try await .sealed(
            destination.store, key, output, attempt: context.attempt(), frameBytes: environment.sizes.frameBytes,
            ordinal: source.layout.ordinal(index, part: part))
    }

    /// What every task of an export works with.
    private struct Source: Sendable {
        let reader: ArtifactReader
        let layout: ExportLayout
        let output: ArtifactAccess?
        let leases: [KeyLease]

        var parts: [ExportTask] { ExportTask.plan(chunks: reader.manifest.chunks.count) }

        func expectation(
            _ file: Int, _ part: Int, _ output: ArtifactAccess, _ context: TaskContext
        ) -> MessageExpectation {
            Destination.expectation(output, job: context.attempt().job, ordinal: layout.ordinal(file, part: part))
        }
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
