import Crypto
import Envelope
package import ObjectStore
import Telemetry

/// An artifact that the database names, opened by its manifest.
package struct ArtifactReader: Sendable {
    package let manifest: Manifest
    package let reference: ManifestReference
    private let store: any ObjectStore
    private let access: ArtifactAccess

    /// Reads and opens the manifest. Before KMS is asked for anything, the object's digest is compared with the reference,
    /// and suite, context and exact key with what the artifact must have. Throws `EnvelopeError.authentication` for any
    /// other object, KMS's refusal where the key may not be used.
    package static func open(
        _ reference: ManifestReference, store: any ObjectStore, access: ArtifactAccess
    ) async throws -> ArtifactReader {
        try access.lease.check()
        guard reference.keyARN.utf8.elementsEqual(access.keyARN.utf8) else { throw EnvelopeError.authentication }
        let message = try await readObject(reference, store)
        guard SHA256.hash(data: message).elementsEqual(reference.digest) else { throw EnvelopeError.authentication }
        var required = access.scope.grantConstraint
        required[ArtifactContextKey.kind] = ArtifactKind.manifest.rawValue
        let opened = try await MessageOpener.openMessage(
            message, provider: access.provider,
            expecting: MessageExpectation(suite: .committed, requiredContext: required, kmsKeyARN: reference.keyARN))
        access.lease.opened(bytes: opened.plaintext.count)
        let manifest = try Manifest(parsing: opened.plaintext)
        guard manifest.scope == access.scope else { throw EnvelopeError.authentication }
        return ArtifactReader(manifest: manifest, reference: reference, store: store, access: access)
    }

    /// Opens one of the manifest's chunks: one Decrypt at KMS.
    package func chunk(_ index: Int) async throws -> ChunkReader {
        try await ChunkReader(pin: manifest.chunks[index], store: store, access: access)
    }

    /// Opens a chunk that a manifest (or, while the artifact is in the making, a row of its task) pins.
    package static func chunk(
        _ pin: ChunkPin, store: any ObjectStore, access: ArtifactAccess
    ) async throws -> ChunkReader {
        try await ChunkReader(pin: pin, store: store, access: access)
    }

    private static func readObject(_ reference: ManifestReference, _ store: any ObjectStore) async throws -> [UInt8] {
        let key = try ObjectKey(reference.objectName)
        guard let info = try await store.head(key) else { throw ArtifactError.missing(key.description) }
        guard info.length <= ArtifactFormat.maximumManifestBytes else { throw EnvelopeError.authentication }
        return try await store.get(key, range: nil)
    }
}
