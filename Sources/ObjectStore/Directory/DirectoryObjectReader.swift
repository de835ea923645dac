import Synchronization

/// Reads one file in order. Holds no buffer: each read is one block of the size that was asked for.
final class DirectoryObjectReader: ObjectReader {
    let info: ObjectInfo
    private let file: FileDescriptor
    private let offset: Mutex<Int>
    private let pool: BlockingPool

    init(file: FileDescriptor, info: ObjectInfo, offset: Int, pool: BlockingPool) {
        self.file = file
        self.info = info
        self.offset = Mutex(offset)
        self.pool = pool
    }

    func read(atMost count: Int) async throws -> [UInt8] {
        precondition(count > 0, "a read asks for at least one byte")
        let wanted = min(count, ObjectStoreBounds.readBytes)
        let start = offset.withLock { $0 }
        let bytes = try await pool.run { [file] in try file.read(count: wanted, at: start) }
        offset.withLock { $0 = start + bytes.count }
        return bytes
    }
}
