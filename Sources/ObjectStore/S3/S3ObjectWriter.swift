import AWSClients
import AWSProtocol
import Crypto
import Synchronization

/// Writes one object: in one request where it fits into a piece, else part by part as an upload. Holds one piece.
///
/// The state leaves the lock while a call works on it, so that two calls at once are found out instead of mixing their bytes.
final class S3ObjectWriter: ObjectWriter {
    private struct Upload: Sendable {
        var pending: [UInt8] = []
        var length = 0
        var hash = SHA256()
        /// Of the upload in parts, once there is one.
        var id: String?
        var tags: [String] = []
        var begun = ContinuousClock.now
    }

    private enum State {
        case idle(Upload)
        case busy
        case ended
    }

    private let key: ObjectKey
    private let name: String
    private let store: S3ObjectStore
    /// Tells this write from every other one, also from those of the same bytes.
    private let mark: String
    private let state = Mutex(State.idle(Upload()))

    init(key: ObjectKey, name: String, store: S3ObjectStore) {
        self.key = key
        self.name = name
        self.store = store
        var random = SystemRandomNumberGenerator()
        mark = Hex.encode((0..<16).map { _ in UInt8.random(in: 0...255, using: &random) })
    }

    func append(_ bytes: [UInt8]) async throws {
        var upload = try take()
        do {
            var rest = bytes[...]
            upload.hash.update(data: bytes)
            upload.length += bytes.count
            while !rest.isEmpty {
                // Sent when more comes, and not before: what fits into one piece needs no upload, and no last part is empty.
                if upload.pending.count == S3Client.pieceBytes { try await sendPart(of: &upload) }
                let next = rest.prefix(S3Client.pieceBytes - upload.pending.count)
                upload.pending += next
                rest = rest.dropFirst(next.count)
            }
        } catch {
            state.withLock { $0 = .ended }
            await discard(upload)
            throw error
        }
        state.withLock { $0 = .idle(upload) }
    }

    func publish() async throws -> PublishedObject {
        var upload = try take()
        defer { state.withLock { $0 = .ended } }
        do {
            if upload.id != nil { try await sendPart(of: &upload) }
            try await name(upload)
        } catch {
            await discard(upload)
            throw error
        }
        return PublishedObject(key: key, length: upload.length, sha256: Array(upload.hash.finalize()))
    }

    func abort() async {
        let upload: Upload? = state.withLock { state in
            guard case .idle(let upload) = state else { return nil }
            state = .ended
            return upload
        }
        if let upload { await discard(upload) }
    }

    // MARK: Steps

    private func sendPart(of upload: inout Upload) async throws {
        guard upload.tags.count < S3Client.maximumParts else {
            throw ObjectStoreError(
                .tooLarge, "an object has at most \(S3Client.maximumParts) parts of \(S3Client.pieceBytes) bytes")
        }
        let bucket = store.bucket.name
        if upload.id == nil {
            upload.begun = .now
            upload.id = try await store.ask(.put) { () async throws(AWSError) in
                try await store.client.createUpload(bucket: bucket, key: name, metadata: metadata)
            }
        }
        try checkAge(upload)
        let (id, number, part) = (upload.id ?? "", upload.tags.count + 1, upload.pending)
        upload.tags.append(
            try await store.ask(.put) { () async throws(AWSError) in
                try await store.client.uploadPart(bucket: bucket, key: name, upload: id, number: number, part)
            })
        upload.pending.removeAll(keepingCapacity: true)
    }

    /// The step at which the object is seen, or not.
    private func name(_ upload: Upload) async throws {
        let isConditional = store.writeOnce == .conditional
        if !isConditional, try await head() != nil { throw ObjectStoreError(.alreadyExists, "the name is taken") }
        let bucket = store.bucket.name
        do {
            guard let id = upload.id else {
                return try await store.client.putObject(
                    bucket: bucket, key: name, upload.pending, metadata: metadata, ifAbsent: isConditional)
            }
            try checkAge(upload)
            try await store.client.completeUpload(
                bucket: bucket, key: name, upload: id, tags: upload.tags, ifAbsent: isConditional)
        } catch let error as AWSError {
            return try await settle(upload, error)
        }
        guard try await head()?.length == upload.length else {
            throw ObjectStoreError(.inputOutput, "bucket \(store.bucket): the object has another length than was written")
        }
    }

    /// What became of a write whose last attempt failed. A name that is taken may be so by an attempt of this very write whose answer
    /// was lost, and one that was not answered may have been made.
    private func settle(_ upload: Upload, _ error: AWSError) async throws {
        let isTaken = error.code == "PreconditionFailed"
        let isUnknown = isTaken || error.isRetriable || error.code == "NoSuchUpload"
        let found = isUnknown ? try? await head() : nil
        if let found, found.metadata[S3ObjectStore.writeMark] == mark, found.length == upload.length { return }
        if found != nil || isTaken { throw ObjectStoreError(.alreadyExists, "the name is taken") }
        throw ObjectStoreError.s3(.put, store.bucket, error)
    }

    private func head() async throws -> S3ObjectHead? {
        try await store.ask(.head) { () async throws(AWSError) in
            try await store.client.headObject(bucket: store.bucket.name, key: name)
        }
    }

    /// An upload that is older is collected: by then its writer must have given it up.
    private func checkAge(_ upload: Upload) throws(ObjectStoreError) {
        guard ContinuousClock.now - upload.begun < S3ObjectStore.longestUpload else {
            throw ObjectStoreError(
                .unavailable, "bucket \(store.bucket): the upload took longer than \(S3ObjectStore.longestUpload)")
        }
    }

    /// Best effort: what can't be removed now is collected.
    private func discard(_ upload: Upload) async {
        guard let id = upload.id else { return }
        try? await store.client.abortUpload(bucket: store.bucket.name, key: name, upload: id)
    }

    private var metadata: [String: String] { [S3ObjectStore.writeMark: mark] }

    private func take() throws(ObjectStoreError) -> Upload {
        let taken: Upload? = state.withLock { state in
            switch state {
            case .idle(let upload):
                state = .busy
                return upload
            case .busy: preconditionFailure("a writer is used from one task at a time")
            case .ended: return nil
            }
        }
        guard let taken else { throw ObjectStoreError(.misuse, "the writer has ended") }
        return taken
    }
}
