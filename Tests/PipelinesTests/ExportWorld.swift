import AWSClients
import AWSProtocol
import Artifacts
import Catalog
import Envelope
import Forecasting
import Foundation
import Jobs
import ObjectStore
import Pipelines
import PostgresTesting
import Testing
import TimeSeries

/// Two series, each in a chunk of its own, as a training job and a forecast job leave them; and exports of them.
struct ExportWorld: Sendable {
    static let exportKey = "arn:aws:kms:us-west-2:123456789012:key/33333333-3333-3333-3333-333333333333"
    /// 2020-04-25T22:30:23Z
    static let acceptedAt: Int64 = 1_587_853_823
    static let horizon = 7
    static let types: [ForecastType] = [.quantile(10), .quantile(50), .quantile(90)]

    let world: TrainWorld
    let predictor: ArtifactInput
    let forecast: ArtifactInput
    /// What the predictor holds of `a` and `b`.
    let trained: [TrainedSeries]
    let grid: TimeGrid

    static func with(dimensions: [String] = [], _ body: (ExportWorld) async throws -> Void) async throws {
        try await TrainWorld.with { try await body(try await ExportWorld($0, dimensions)) }
    }

    private init(_ world: TrainWorld, _ dimensions: [String]) async throws {
        let globalEnd = days(56).latest
        let terms = try TrainingTerms(trainDocument(horizon: Self.horizon, dimensions: dimensions, windows: 2))
        let settings = try terms.settings(for: days(56))
        let keys = ["a", "b"].map { item in
            // With dimensions, both are of one item.
            dimensions.isEmpty ? ItemKey(itemID: item) : ItemKey(itemID: "a", dimensions: ["store \(item)"])
        }
        self.world = world
        grid = settings.grid
        trained = try trainedSeries(settings, globalEnd: globalEnd)
        let evaluation: [JSONValue] = [["TestWindows": [["EvaluationType": "SUMMARY"]]]]
        predictor = try await Self.artifact(
            world, .predictor, kind: .predictor, chunkKind: .fittedSeries,
            records: zip(keys, trained).map { ($0, PredictorRecord.encoded(fitted: $1.fitted, backtest: $1.backtest)) },
            sections: PredictorManifest(
                keyNames: terms.keyNames, settings: settings, transformations: terms.transformations, globalEnd: globalEnd,
                series: 2, evaluation: evaluation
            ).sections)
        let grid = settings.grid
        forecast = try await Self.artifact(
            world, .forecast, kind: .forecast, chunkKind: .forecastValues,
            records: zip(keys, trained).map { ($0, $1.fitted.forecast(types: Self.types, grid: grid).encoded) },
            sections: ForecastManifest(
                keyNames: terms.keyNames, grid: grid, types: Self.types, horizon: Self.horizon, series: 2
            ).sections)
    }

    private static func artifact(
        _ world: TrainWorld, _ type: ResourceType, kind: ArtifactKind, chunkKind: ChunkKind, records: [(ItemKey, [UInt8])],
        sections: JSONObject
    ) async throws -> ArtifactInput {
        let key = world.key(type, "made", TrainWorld.modelKey)
        let grant = try await world.grant(key, operations: ["Decrypt", "GenerateDataKey"])
        let access = try world.access(key)
        defer { access.release() }
        let writer = ArtifactWriter(
            store: try world.artifacts(), access: access, attempt: ArtifactAttempt(job: "j", task: "t", fence: 1),
            frameBytes: 1 << 10)
        var pins: [ChunkPin] = []
        for (number, record) in records.enumerated() {
            var builder = KeyedChunkBuilder(kind: chunkKind, keyFieldCount: record.0.fields.count)
            try builder.add(record.0, record.1)
            let chunk = try await writer.chunk(kind: kind, ordinal: number, objectName: "artifacts/\(type.rawValue)/\(number)")
            try await chunk.append(try #require(builder.finish()))
            pins.append(try await chunk.finish())
        }
        let manifest = try await writer.writeManifest(
            Manifest(scope: access.scope, chunks: pins, sections: sections), generation: 1,
            objectName: "artifacts/\(type.rawValue)/manifest")
        try await world.roles.ownKMS.retireGrant(keyID: key.keyARN, grantID: grant)
        return ArtifactInput(
            key: key, manifestObject: manifest.objectName, manifestDigest: Hex.encode(manifest.digest),
            manifestGeneration: manifest.generation)
    }

    /// Runs an export to its end.
    func export(
        _ kind: JobKind, to path: String = "s3://data/out", sealed: Bool = false, faults: FaultPoints = .none
    ) async throws -> (resource: Resource, key: ArtifactKey) {
        let type: ResourceType = kind == .forecastExport ? .forecastExportJob : .predictorBacktestExportJob
        let key = world.key(type, "made/\(UUID().uuidString)", Self.exportKey)
        let document = ExportDocument(
            source: kind == .forecastExport ? forecast : predictor, name: "weekly",
            destination: BucketLocation(path: path, roleARN: TrainWorld.role, keyARN: sealed ? Self.exportKey : nil),
            acceptedAt: Self.acceptedAt, output: sealed ? key : nil)
        return (try await world.run(kind, type, document, output: key, faults: faults), key)
    }

    /// Every file in the bucket, by its key.
    func files() throws -> [String: [UInt8]] {
        let root = world.folder.appending(path: "buckets/data")
        var files: [String: [UInt8]] = [:]
        for name in try FileManager.default.subpathsOfDirectory(atPath: root.path) {
            guard let data = try? Data(contentsOf: root.appending(path: name)), !name.hasPrefix(".") else { continue }
            files[name] = Array(data)
        }
        return files
    }

    func open(_ message: [UInt8], _ key: ArtifactKey) async throws -> (plaintext: [UInt8], header: MessageHeader) {
        _ = try await world.grant(key, operations: ["Decrypt"])
        let access = try world.access(key)
        defer { access.release() }
        return try await MessageOpener.openMessage(message, provider: access.provider)
    }
}

extension TrainWorld {
    func artifacts() throws -> DirectoryObjectStore {
        try DirectoryObjectStore(root: folder.appending(path: "artifacts").path)
    }

    func grant(_ key: ArtifactKey, operations: [String]) async throws -> String {
        try await roles.ownKMS.createGrant(
            CreateGrantRequest(
                keyID: key.keyARN, granteePrincipal: "tests", retiringPrincipal: "tests", operations: operations,
                contextSubset: try scope(key).grantConstraint, name: "test-\(UUID())")
        ).grantID
    }

    func access(_ key: ArtifactKey) throws -> ArtifactAccess {
        ArtifactAccess(
            scope: try scope(key), keyARN: key.keyARN, kms: roles.ownKMS,
            keeper: KeyLeaseKeeper(timing: KeyLeaseTiming(interval: .seconds(600)), logger: TestDatabase.logger))
    }

    private func scope(_ key: ArtifactKey) throws -> ArtifactScope {
        try ArtifactScope(
            account: Self.account, resource: key.resource, incarnation: key.incarnation.uuidString.lowercased())
    }
}
