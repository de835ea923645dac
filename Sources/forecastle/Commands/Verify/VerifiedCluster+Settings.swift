import Foundation
import Logging
import ObjectStore
import Postgres
import Verification

extension VerifiedCluster {
    static let defaultMemoryBytes = 512 << 20
    /// Chunks that a slot may hold at once: one read, one sealed, two on their way.
    private static let chunksOfASlot = 4
    private static let outboxRowsMax = 100_000
    private static let statementTimeout: Duration = .seconds(120)

    /// The cluster that the settings describe, for the time of `body`. `configuration` is the file its processes were started
    /// with, by which they are found.
    static func with<R>(
        _ values: ConfigurationValues, configuration: String?, memoryBytes: Int = defaultMemoryBytes,
        _ body: (VerifiedCluster) async throws -> R
    ) async throws -> R {
        let jobs = try pool(values, values.connectionKey(.jobs, for: .reader))
        defer { jobs.close() }
        let authority =
            values.connection(.authority, for: .reader).isEmpty
            ? nil : try pool(values, values.connectionKey(.authority, for: .reader))
        defer { authority?.close() }
        let slots = values.integer("worker.slots") * chunksOfASlot
        let artifacts = try StoreSettings(values).artifacts()
        var cluster = VerifiedCluster(
            jobs: jobs, authority: authority, artifacts: artifacts,
            lease: values.duration(milliseconds: "worker.lease_ms"), beat: values.duration(milliseconds: "worker.beat_ms"),
            memoryBounds: .init(baseBytes: memoryBytes, workerBytes: slots * values.integer("worker.chunk_bytes")),
            outboxRowsMax: outboxRowsMax)
        cluster.searchesArtifacts = true
        cluster.notSearched = [values.string("buckets.directory")].filter { !$0.isEmpty }
        if let configuration {
            let folder = DataFolder(URL(fileURLWithPath: configuration).deletingLastPathComponent().path)
            // An embedded cluster keeps everything in one folder.
            if FileManager.default.fileExists(atPath: folder.postgresConnection) {
                cluster.searched = [folder.path]
                cluster.searchesArtifacts = artifacts is S3ObjectStore
            }
            cluster.processes = ClusterProcesses.running(configuration: DataFolder(configuration).path)
        }
        return try await body(cluster)
    }

    private static func pool(_ values: ConfigurationValues, _ key: String) throws -> PostgresPool {
        var configuration = try values.postgres(key, applicationName: "forecastle verify")
        configuration.maximumConnections = 2
        configuration.statementTimeout = statementTimeout
        return PostgresPool(configuration: configuration, logger: Logger(label: "verify") { _ in SwiftLogNoOpLogHandler() })
    }
}
