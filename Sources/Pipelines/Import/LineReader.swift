import Jobs
import ObjectStore
import TimeSeries

/// Reads the lines of a range in buffers that end where the range's last line ends.
///
/// A line belongs to the range in which it begins: the reader of a range that starts in the middle of a file skips to the
/// first line that begins there, and the one before reads its last line to the end.
struct LineReader: Sendable {
    static let bufferBytes = 4 << 20
    private static let newline = UInt8(ascii: "\n")

    let store: any ObjectStore
    let file: ObjectInfo
    let range: ImportRange

    /// The first byte of the first line that begins in the range; nil where none does.
    func firstLine() async throws -> Int? {
        guard range.start > 0 else { return 0 }
        // The line that begins at `start` is ours where the byte before it ends one.
        return try await endOfLine(from: range.start - 1).flatMap { $0 < range.end ? $0 : nil }
    }

    /// The end of the range's last line: the place behind the first newline at or after the range's last byte, or the file's end.
    func lastLineEnd() async throws -> Int {
        guard range.end < file.length else { return file.length }
        return try await endOfLine(from: range.end - 1) ?? file.length
    }

    /// Lines that end before `offset`: what an error's line number lacks that was counted from there. Read only then.
    func lines(before offset: Int) async throws -> Int {
        var lines = 0
        var position = 0
        while position < offset {
            let bytes = try await read(position..<min(position + Self.bufferBytes, offset))
            lines += bytes.count { $0 == Self.newline }
            position += bytes.count
        }
        return lines
    }

    /// Throws where the file is not the one that was listed.
    func read(_ bytes: Range<Int>) async throws -> [UInt8] {
        do {
            let read = try await store.get(file.key, range: bytes, ifVersion: file.version)
            if read.count == bytes.count { return read }
        } catch let error as ObjectStoreError where error.code == .changed || error.code == .notFound {
            throw JobError.final("DataSource: \(file.key) changed while it was imported.", cause: error)
        }
        throw JobError.final("DataSource: \(file.key) changed while it was imported.")
    }

    private func endOfLine(from start: Int) async throws -> Int? {
        var position = start
        while position < file.length {
            let bytes = try await read(position..<min(position + ChunkBuilder.rowBytesLimit, file.length))
            if let newline = bytes.firstIndex(of: Self.newline) { return position + newline + 1 }
            position += bytes.count
        }
        return nil
    }
}
