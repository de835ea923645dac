import Artifacts
import Crypto
import Envelope
import Jobs
import ObjectStore

/// One file in the customer's bucket in the making: plain, or an AWS Encryption SDK message where the destination names a key.
///
/// Nothing of it is seen before `publish`. A name that is taken is an earlier attempt's of ours, which was cut off before its
/// task was finished: then what is there must be the very same content. What the bucket refuses is said of the Destination.
actor ExportFile {
    private enum Target {
        case plain(any ObjectWriter)
        case sealed(ChunkWriter, ArtifactAccess, context: EncryptionContext)
    }

    private let store: any ObjectStore
    private let key: ObjectKey
    private let target: Target
    private var hash = SHA256()
    private var length = 0

    static func plain(_ store: any ObjectStore, _ key: ObjectKey) async throws -> ExportFile {
        ExportFile(store, key, .plain(try await Destination.of(key) { try await store.writer(key) }))
    }

    /// - Parameter ordinal: of the file within the export, part of its encryption context.
    static func sealed(
        _ store: any ObjectStore, _ key: ObjectKey, _ access: ArtifactAccess, attempt: ArtifactAttempt, frameBytes: Int,
        ordinal: Int
    ) async throws -> ExportFile {
        let writer = ArtifactWriter(store: store, access: access, attempt: attempt, frameBytes: frameBytes)
        let chunk = try await Destination.of(key) {
            try await writer.chunk(kind: .export, ordinal: ordinal, objectName: key.name)
        }
        let context = access.scope.context(kind: .export, attempt: attempt, ordinal: ordinal)
        return ExportFile(store, key, .sealed(chunk, access, context: context))
    }

    private init(_ store: any ObjectStore, _ key: ObjectKey, _ target: Target) {
        self.store = store
        self.key = key
        self.target = target
    }

    func append(_ bytes: [UInt8]) async throws {
        guard !bytes.isEmpty else { return }
        hash.update(data: bytes)
        length += bytes.count
        try await Destination.of(key) {
            switch target {
            case .plain(let writer): try await writer.append(bytes)
            case .sealed(let chunk, _, _): try await chunk.append(bytes)
            }
        }
    }

    func publish() async throws {
        let digest = Array(hash.finalize())
        let isOurs = try await Destination.of(key) {
            switch target {
            case .plain(let writer): try await publish(writer, digest)
            case .sealed(let chunk, let access, let context): try await publish(chunk, digest, access, context)
            }
        }
        guard isOurs else {
            throw JobError.final("Destination: \(key) exists already with other content; choose another path or name.")
        }
    }

    func abort() async {
        switch target {
        case .plain(let writer): await writer.abort()
        case .sealed(let chunk, _, _): await chunk.abort()
        }
    }

    private func publish(_ writer: any ObjectWriter, _ digest: [UInt8]) async throws -> Bool {
        do {
            _ = try await writer.publish()
            return true
        } catch let error as ObjectStoreError where error.code == .alreadyExists {
            return try await store.holds(PublishedObject(key: key, length: length, sha256: digest))
        }
    }

    /// Each sealing has a data key of its own, so the plaintexts are compared, after the message proved to be this file's.
    private func publish(
        _ chunk: ChunkWriter, _ digest: [UInt8], _ access: ArtifactAccess, _ context: EncryptionContext
    ) async throws -> Bool {
        do {
            _ = try await chunk.finish()
            return true
        } catch let error as ArtifactError where error.code == .conflict {
            return try await SealedFile(store: store, key: key, access: access).holds(
                sha256: digest, MessageExpectation(suite: .committed, context: context, kmsKeyARN: access.keyARN))
        }
    }
}
