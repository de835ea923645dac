import AWSProtocol
import Crypto
import Envelope
package import ObjectStore
import Telemetry

/// Writes an artifact for one attempt: chunks, each a message under a data key of its own, then the manifest.
package struct ArtifactWriter: Sendable {
    package let store: any ObjectStore
    package let access: ArtifactAccess
    package let attempt: ArtifactAttempt
    package let frameBytes: Int

    package init(
        store: any ObjectStore, access: ArtifactAccess, attempt: ArtifactAttempt, frameBytes: Int = ArtifactFormat.frameBytes
    ) {
        self.store = store
        self.access = access
        self.attempt = attempt
        self.frameBytes = frameBytes
    }

    /// Begins chunk `ordinal` of this attempt's. Nothing of it is visible before `finish()`.
    ///
    /// A chunk that is sealed again, after a crash, gets a new data key and message id, and the new attempt's name.
    ///
    /// - Parameter objectName: reserved by the job, so that the collector finds what nothing names in the end.
    package func chunk(kind: ArtifactKind, ordinal: Int, objectName: String) async throws -> ChunkWriter {
        guard ordinal >= 0, kind != .manifest else {
            throw ArtifactError.invalidInput("A chunk has an ordinal from 0 and is no manifest.")
        }
        let key = try ObjectKey(objectName)
        return try await ChunkWriter(
            store: store, key: key, context: access.scope.context(kind: kind, attempt: attempt, ordinal: ordinal),
            access: access, frameBytes: frameBytes)
    }

    /// Begins a message under a name of the caller's, for what is not a chunk: an encrypted export file in a customer's bucket.
    package func file(_ key: ObjectKey, kind: ArtifactKind) async throws -> ChunkWriter {
        try await ChunkWriter(
            store: store, key: key, context: access.scope.context(kind: kind, attempt: attempt), access: access,
            frameBytes: frameBytes)
    }

    /// Seals and stores the manifest, reads it back through the store, and answers what the database will hold.
    /// The key lease is confirmed in between: what follows is the publication.
    package func writeManifest(
        _ manifest: Manifest, generation: Int64, objectName: String
    ) async throws -> ManifestReference {
        guard manifest.scope == access.scope else {
            throw ArtifactError.invalidInput("The manifest is of another artifact than the access.")
        }
        guard manifest.chunks.count <= ArtifactFormat.maximumChunks else {
            throw ArtifactError.tooLarge("An artifact has at most \(ArtifactFormat.maximumChunks) chunks.")
        }
        try access.lease.check()
        let key = try ObjectKey(objectName)
        let message = try await MessageSealer.sealMessage(
            manifest.serialized(), provider: access.provider,
            context: access.scope.context(kind: .manifest, attempt: attempt), frameBytes: frameBytes)
        access.lease.sealed(bytes: message.count)
        guard message.count <= ArtifactFormat.maximumManifestBytes else {
            throw ArtifactError.tooLarge("A manifest has at most \(ArtifactFormat.maximumManifestBytes) bytes.")
        }
        let digest = Array(SHA256.hash(data: message))
        do {
            try await store.put(key, message)
        } catch let error as ObjectStoreError where error.code == .alreadyExists {
            // An answer of the store's may have been lost: then what is there is ours.
            guard try await store.holds(PublishedObject(key: key, length: message.count, sha256: digest)) else {
                throw ArtifactError.conflict(key.description)
            }
        }
        let reference = ManifestReference(
            objectName: key.name, digest: digest, generation: generation, keyARN: access.keyARN)
        let readBack = try await ArtifactReader.open(reference, store: store, access: access)
        guard readBack.manifest == manifest else { throw ArtifactError.conflict(key.description) }
        try await access.lease.confirm()
        return reference
    }
}
