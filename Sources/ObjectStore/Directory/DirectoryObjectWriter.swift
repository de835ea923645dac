import Crypto
import Synchronization

/// Writes one object into a temporary file. The state leaves the lock while a call works on it, so that two calls at
/// once are found out instead of mixing their bytes.
final class DirectoryObjectWriter: ObjectWriter {
    private struct Upload: Sendable {
        let file: TemporaryFile
        var length = 0
        var hash = SHA256()
    }

    private enum State {
        case idle(Upload)
        case busy
        case ended
    }

    private let key: ObjectKey
    private let store: DirectoryObjectStore
    private let state: Mutex<State>

    init(key: ObjectKey, file: TemporaryFile, store: DirectoryObjectStore) {
        self.key = key
        self.store = store
        state = Mutex(.idle(Upload(file: file)))
    }

    func append(_ bytes: [UInt8]) async throws {
        let upload = try take()
        do {
            let next = try await store.pool.run {
                var upload = upload
                do {
                    try upload.file.file.write(bytes)
                } catch {
                    // After a torn write nothing of it can be trusted.
                    upload.file.discard()
                    throw error
                }
                upload.hash.update(data: bytes)
                upload.length += bytes.count
                return upload
            }
            state.withLock { $0 = .idle(next) }
        } catch {
            state.withLock { $0 = .ended }
            throw error
        }
    }

    func publish() async throws -> PublishedObject {
        let upload = try take()
        defer { state.withLock { $0 = .ended } }
        return try await store.pool.run { [store, key] in
            defer { upload.file.discard() }
            try upload.file.file.synchronise()
            try store.publish(upload.file, as: key)
            return PublishedObject(key: key, length: upload.length, sha256: Array(upload.hash.finalize()))
        }
    }

    func abort() async {
        let upload: Upload? = state.withLock { state in
            guard case .idle(let upload) = state else { return nil }
            state = .ended
            return upload
        }
        guard let upload else { return }
        try? await store.pool.run { upload.file.discard() }
    }

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
