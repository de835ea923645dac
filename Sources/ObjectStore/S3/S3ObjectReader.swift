import AWSClients
import Synchronization

/// Reads one object in order, in pieces that the store is asked for one by one, each on condition that the object is still the
/// one that was opened. Holds one piece.
final class S3ObjectReader: ObjectReader {
    private static let pieceBytes = 4 << 20

    private struct State {
        /// Of the next byte to be given out.
        var offset: Int
        var piece: ArraySlice<UInt8> = []
    }

    let info: ObjectInfo
    private let name: String
    private let store: S3ObjectStore
    private let state: Mutex<State>

    init(info: ObjectInfo, name: String, offset: Int, store: S3ObjectStore) {
        self.info = info
        self.name = name
        self.store = store
        state = Mutex(State(offset: offset))
    }

    func read(atMost count: Int) async throws -> [UInt8] {
        precondition(count > 0, "a read asks for at least one byte")
        let wanted = min(count, ObjectStoreBounds.readBytes)
        let (offset, isEmpty) = state.withLock { ($0.offset, $0.piece.isEmpty) }
        guard offset < info.length else { return [] }
        if isEmpty {
            let range = offset..<min(info.length, offset + max(wanted, Self.pieceBytes))
            let piece = try await store.piece(of: name, range, ifTag: info.version)
            guard piece.bytes.count == range.count else {
                throw ObjectStoreError(.changed, "bucket \(store.bucket): the object changed while it was read")
            }
            state.withLock { $0.piece = piece.bytes[...] }
        }
        return state.withLock { state in
            let bytes = Array(state.piece.prefix(wanted))
            state.piece = state.piece.dropFirst(bytes.count)
            state.offset += bytes.count
            return bytes
        }
    }
}
