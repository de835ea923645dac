import Artifacts
import Crypto
import Envelope
import Jobs
import ObjectStore

/// One file in the customer's bucket in the making: plain, or an AWS Encryption SDK message where the destination names a key.
///
/// Nothing of it is seen before `publish`. A name that is taken is an earlier attempt's of ours, which was cut off before its
/// task was finished: then what is there must be the very same content.
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
        ExportFile(store, key, .plain(try await store.writer(key)))
    }

    /// - Parameter ordinal: of the file within the export, part of its encryption context.
    static func sealed(
        _ store: any ObjectStore, _ key: ObjectKey, _ access: ArtifactAccess, attempt: ArtifactAttempt, frameBytes: Int,
        ordinal: Int
    ) async throws -> ExportFile {
        let writer = ArtifactWriter(store: store, access: access, attempt: attempt, frameBytes: frameBytes)
        let chunk = try await writer.chunk(kind: .export, ordinal: ordinal, objectName: key.name)
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
        switch target {
        case .plain(let writer): try await writer.append(bytes)
        case .sealed(let chunk, _, _): try await chunk.append(bytes)
        }
    }

    func publish() async throws {
        let digest = Array(hash.finalize())
        switch target {
        case .plain(let writer):
            do {
                _ = try await writer.publish()
            } catch let error as ObjectStoreError where error.code == .alreadyExists {
                guard try await store.holds(PublishedObject(key: key, length: length, sha256: digest)) else { throw taken }
            }
        case .sealed(let chunk, let access, let context):
            do {
                _ = try await chunk.finish()
            } catch let error as ArtifactError where error.code == .conflict {
                guard try await holdsSealed(digest, access, context) else { throw taken }
            }
        }
    }

    func abort() async {
        switch target {
        case .plain(let writer): await writer.abort()
        case .sealed(let chunk, _, _): await chunk.abort()
        }
    }

    /// Each sealing has a data key of its own, so the plaintexts are compared, after the message proved to be this file's.
    private func holdsSealed(
        _ digest: [UInt8], _ access: ArtifactAccess, _ context: EncryptionContext
    ) async throws -> Bool {
        let message = try await store.get(key)
        let opened = try await MessageOpener.openMessage(
            message, provider: access.provider,
            expecting: MessageExpectation(suite: .committed, context: context, kmsKeyARN: access.keyARN))
        return SHA256.hash(data: opened.plaintext).elementsEqual(digest)
    }

    private var taken: JobError {
        .final("Destination: \(key) exists already with other content; choose another path or name.")
    }
}
