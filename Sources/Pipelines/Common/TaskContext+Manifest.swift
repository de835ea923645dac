import AWSProtocol
import Artifacts
import Jobs

extension TaskContext {
    /// The generation of a manifest that is written once.
    static let onlyGeneration: Int64 = 1

    /// The commit of a job that makes an artifact: its manifest, written, read back and named.
    func writeManifest(
        _ sections: JSONObject, chunks: [ChunkPin], _ access: ArtifactAccess, _ environment: PipelineEnvironment
    ) async throws -> CommitRecord {
        let name = try await reserveObject(ordinal: 0)
        let reference = try await writer(access, environment).writeManifest(
            Manifest(scope: access.scope, chunks: chunks, sections: sections), generation: Self.onlyGeneration,
            objectName: name)
        return CommitRecord(
            manifest: .init(object: reference.objectName, digest: reference.digest, generation: reference.generation))
    }
}
