/// Turns the bytes of one CSV file into the plaintext of one chunk: parses, checks, and groups rows by item.
///
/// Timeline: `feed` buffers as they are read until it says that the chunk is full or the file has ended, then `finish`. A builder makes one chunk;
/// the next one starts at `end` with nothing carried over, so that whoever takes over a task goes on there and makes the same chunks.
/// The same input from the same position gives the same bytes. Not `Sendable`: one owner at a time.
package final class ChunkBuilder {
    /// A longer row is refused.
    package static let rowBytesLimit = 64 << 10
    /// What a row takes in a chunk at most: a value, and a timestamp delta of at most 8 bytes.
    static let rowBytes = 16

    private static let newline = UInt8(ascii: "\n")
    private static let byteOrderMark: [UInt8] = [0xEF, 0xBB, 0xBF]

    private let limits: ChunkLimits
    private let layout: DatasetLayout
    private let parser: RowParser
    private let maximumRows: Int
    /// The start of a row whose end was not in the buffers fed so far.
    private var carry: [UInt8] = []
    private var position: InputPosition

    /// Throws `invalidArgument` for datasets other than target time series. `file` is only named in errors.
    package init(
        layout: DatasetLayout, format: TimestampFormat, file: String, start: InputPosition = .start,
        limits: ChunkLimits = .default
    ) throws(TimeSeriesError) {
        self.limits = limits
        self.layout = layout
        position = start
        maximumRows = max(limits.payloadBytes / Self.rowBytes, 1)
        parser = RowParser(layout: try RowLayout(layout, format: format), capacity: maximumRows, file: file)
    }

    package var rowCount: Int { parser.columns.count }
    package var isFull: Bool {
        rowCount == maximumRows || rowCount * Self.rowBytes + parser.keyBytes >= limits.payloadBytes
    }
    /// Where the rows taken so far end. A row that is begun but not complete lies behind it.
    package var end: InputPosition { position }

    package struct Progress: Sendable, Equatable {
        /// Bytes of the buffer that were taken; fewer than given only when the chunk is full.
        package let consumed: Int
        package let isFull: Bool
    }

    /// Takes rows from the next bytes of the file; `isLast` says that the file ends with them, so that a last line needs no newline.
    ///
    /// Throws `malformedRow`; the builder is of no use afterwards.
    package func feed(_ bytes: UnsafeRawBufferPointer, isLast: Bool) throws(TimeSeriesError) -> Progress {
        let buffer = bytes.bindMemory(to: UInt8.self)
        if isFull { return Progress(consumed: 0, isFull: true) }
        var cursor = 0
        if !carry.isEmpty {
            cursor = try completeCarriedRow(buffer, isLast: isLast)
            if isFull { return Progress(consumed: cursor, isFull: true) }
        }
        if cursor < buffer.count { cursor = try takeRows(buffer, from: cursor) }
        if isFull { return Progress(consumed: cursor, isFull: true) }
        if cursor < buffer.count {
            try carry(buffer, from: cursor)
            cursor = buffer.count
        }
        if isLast { try takeLastRow() }
        return Progress(consumed: cursor, isFull: isFull)
    }

    package func feed(_ bytes: [UInt8], isLast: Bool) throws(TimeSeriesError) -> Progress {
        let result = bytes.withUnsafeBytes { buffer in
            Result { () throws(TimeSeriesError) in try feed(buffer, isLast: isLast) }
        }
        return try result.get()
    }

    /// The chunk of the rows taken, or nil where there are none.
    package func finish() -> BuiltChunk? {
        guard rowCount > 0 else { return nil }
        return ChunkEncoder(parser: parser, layout: layout, limits: limits).chunk(end: position)
    }

    // MARK: Rows

    private func takeRows(_ buffer: UnsafeBufferPointer<UInt8>, from start: Int) throws(TimeSeriesError) -> Int {
        guard let base = buffer.baseAddress else { return start }
        let bufferEnd = base + buffer.count
        var cursor = base + start
        while cursor < bufferEnd, let newline = Self.firstNewline(cursor, bufferEnd) {
            try takeRow(cursor, newline)
            position.offset += newline - cursor + 1
            position.line += 1
            cursor = newline + 1
            if isFull { break }
        }
        return cursor - base
    }

    /// One row without its newline; a carriage return before that is dropped.
    @inline(__always)
    private func takeRow(_ start: UnsafePointer<UInt8>, _ newline: UnsafePointer<UInt8>) throws(TimeSeriesError) {
        var end = newline
        if start < end, end[-1] == UInt8(ascii: "\r") { end -= 1 }
        guard end - start <= Self.rowBytesLimit else { throw tooLong() }
        if position.offset == 0 { try refuseByteOrderMark(start, end) }
        try parser.parse(start, end, at: position)
    }

    private func completeCarriedRow(_ buffer: UnsafeBufferPointer<UInt8>, isLast: Bool) throws(TimeSeriesError) -> Int {
        guard let base = buffer.baseAddress, let newline = Self.firstNewline(base, base + buffer.count) else { return 0 }
        let used = newline - base + 1
        guard carry.count + used <= Self.rowBytesLimit + 2 else { throw tooLong() }
        carry.append(contentsOf: UnsafeBufferPointer(rebasing: buffer[0..<used - 1]))
        try takeCarry()
        position.offset += 1
        position.line += 1
        return used
    }

    private func carry(_ buffer: UnsafeBufferPointer<UInt8>, from cursor: Int) throws(TimeSeriesError) {
        guard carry.count + buffer.count - cursor <= Self.rowBytesLimit + 1 else { throw tooLong() }
        carry.append(contentsOf: UnsafeBufferPointer(rebasing: buffer[cursor...]))
    }

    private func takeLastRow() throws(TimeSeriesError) {
        if carry.isEmpty {
            guard position.offset > 0 else { throw parser.fault(.emptyFile, at: position) }
            return
        }
        try takeCarry()
    }

    /// Parses the carried bytes as a whole row and moves past them.
    private func takeCarry() throws(TimeSeriesError) {
        let row = carry
        carry.removeAll(keepingCapacity: true)
        let result = row.withUnsafeBufferPointer { bytes in
            Result { () throws(TimeSeriesError) in
                guard let base = bytes.baseAddress else { throw parser.fault(.blankLine, at: position) }
                try takeRow(base, base + bytes.count)
            }
        }
        try result.get()
        position.offset += row.count
    }

    private func refuseByteOrderMark(
        _ start: UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>
    ) throws(TimeSeriesError) {
        if UnsafeBufferPointer(start: start, count: end - start).starts(with: Self.byteOrderMark) {
            throw parser.fault(.byteOrderMark, at: position)
        }
    }

    private func tooLong() -> TimeSeriesError { parser.fault(.rowTooLong(bytes: Self.rowBytesLimit), at: position) }

    @inline(__always)
    private static func firstNewline(_ start: UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>) -> UnsafePointer<UInt8>? {
        guard let found = findByte(newline, start, end - start) else { return nil }
        return found
    }
}
