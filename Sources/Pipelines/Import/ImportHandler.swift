import AWSProtocol
import Artifacts
import Catalog
package import Jobs
import ObjectStore
package import Postgres
import TimeSeries

/// Import: every row of the customer's CSV is checked against the schema and stored, unaggregated, under the dataset's key.
package struct ImportHandler: ResourceJobHandler {
    typealias Document = ImportDocument

    package let kind = JobKind.import
    let environment: PipelineEnvironment

    package init(environment: PipelineEnvironment) {
        self.environment = environment
    }

    func keys(of document: ImportDocument) -> [(key: ArtifactKey, use: GrantTerms.Use, manifest: ArtifactInput?)] {
        [(document.output, .write, nil)]
    }

    package func started(_ job: JobRecord, on connection: PostgresConnection) async throws {
        try await Catalog.move(
            job.resourceARN, incarnation: job.incarnation, from: [.createPending], to: .createInProgress, on: connection)
        try await DatasetState.importStarted(try document(of: job).dataset, on: connection)
    }

    func published(_ job: JobRecord, on connection: PostgresConnection) async throws {
        try await DatasetState.importEnded(try document(of: job).dataset, on: connection)
    }

    func ended(_ job: JobRecord, on connection: PostgresConnection) async throws {
        // A specification that can't be read must not keep its job from ending.
        guard let document = try? document(of: job) else { return }
        try await DatasetState.importEnded(document.dataset, on: connection)
    }

    // MARK: Plan

    package func plan(_ context: TaskContext) async throws -> [TaskSpecification] {
        let document = try document(of: context.job)
        try await context.access(document.output, .write, environment).release()
        let source = try await ImportSource(document.source, environment, context.job)
        let (files, isFolder) = try await source.files()
        try await source.requireReadable(files)
        var tasks: [TaskSpecification] = []
        for file in files {
            let ranges = ImportRange.split(
                file: ImportSource.hash(file.key), bytes: file.length, version: file.version, isInFolder: isFolder,
                taskBytes: environment.sizes.taskBytes)
            tasks += try ranges.map {
                TaskSpecification(input: try JobJSON($0), expectedBytes: Int64($0.end - $0.start))
            }
        }
        guard tasks.count <= TaskSpecification.tasksMax else {
            throw JobError.final("DataSource: too many files and parts for one import; give fewer, larger files.")
        }
        return tasks
    }

    // MARK: Run

    package func run(_ task: TaskSpecification, _ context: TaskContext) async throws {
        let document = try document(of: context.job)
        let range = try task.input.decoded(as: ImportRange.self)
        let source = try await ImportSource(document.source, environment, context.job)
        let file = try await source.file(of: range)
        let access = try await context.access(document.output, .write, environment)
        defer { access.release() }
        let attempt = ImportAttempt(
            layout: try document.layout, format: try document.format,
            reader: LineReader(store: source.store, file: file, range: range),
            writer: context.writer(access, environment), limits: environment.limits, context: context)
        try await withKeyLeases([access.lease]) { try await attempt.run() }
    }

    // MARK: Commit

    package func commit(_ context: TaskContext) async throws -> CommitRecord {
        let document = try document(of: context.job)
        let access = try await context.access(document.output, .write, environment)
        defer { access.release() }
        let environment = environment
        return try await withKeyLeases([access.lease]) {
            let chunks = try await context.chunksOfAllTasks()
            let pins = try chunks.map { try $0.detail.pin() }
            let rows = chunks.reduce(0) { $0 + $1.rows }
            guard rows > 0 else { throw JobError.final("DataSource: no rows were found in \(document.source.path).") }
            let layout = try document.layout
            var statistics = DatasetStatistics(schema: layout.schema)
            for pin in pins {
                try context.checkStillOurs()
                let chunk = try await ArtifactReader.chunk(pin, store: environment.artifacts, access: access)
                try statistics.merge(try await chunk.datasetStatistics())
            }
            let manifest = ImportManifest(
                document: document, layout: layout, statistics: statistics, rows: Int(rows),
                bytes: Int(chunks.reduce(0) { $0 + $1.bytes }))
            return try await context.writeManifest(manifest.sections, chunks: pins, access, environment)
        }
    }
}

extension ImportDocument {
    var layout: DatasetLayout {
        get throws {
            guard let domain = Domain(rawValue: domain), let type = DatasetType(rawValue: datasetType) else {
                throw JobError.final("The dataset has a domain or type that this version does not know.")
            }
            return try DatasetLayout(domain: domain, type: type, schema: try [ImportDocument.Attribute].schema(schema))
        }
    }

    var format: TimestampFormat {
        get throws {
            guard let timestampFormat else { return .default }
            guard let format = TimestampFormat(rawValue: timestampFormat) else {
                throw JobError.final("TimestampFormat is none that this version knows.")
            }
            return format
        }
    }
}

extension [ImportDocument.Attribute] {
    static func schema(_ attributes: [ImportDocument.Attribute]) throws -> Schema {
        try Schema(
            attributes: attributes.map { attribute in
                guard let type = AttributeType(rawValue: attribute.type) else {
                    throw JobError.final("Schema: \(attribute.name) has a type that this version does not know.")
                }
                return .init(name: attribute.name, type: type)
            })
    }
}
