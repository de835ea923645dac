/// Checks rows against the schema and appends them to columns.
///
/// Each row first takes a quick way that knows only plain fields. Whatever it meets that it does not know (quotes, spaces, any broken
/// rule) sends the row the careful way, which reads it by the same primitives or names the rule. Not `Sendable`: one owner at a time.
final class RowParser {
    let layout: RowLayout
    let columns: RowColumns
    let items = ItemTable()
    /// Rows whose target is empty, and rows whose target is NaN.
    private(set) var nullCount = 0
    private(set) var nanCount = 0
    /// Bytes that the keys take in the chunk, each with what its item costs beside its rows.
    private(set) var keyBytes = 0

    private let file: String
    private var timestamps: TimestampParser
    private let parts: UnsafeMutableBufferPointer<RowLayout.Part>
    private let fieldStarts: UnsafeMutablePointer<UnsafePointer<UInt8>>
    private let fieldEnds: UnsafeMutablePointer<UnsafePointer<UInt8>>
    private let scratch: UnsafeMutablePointer<UInt8>
    private var hasQuoteInKeys = false
    private var previousItem = -1
    private var previousStart: UnsafePointer<UInt8>
    private var previousBytes = -1

    private static let comma = UInt8(ascii: ",")
    private static let space = UInt8(ascii: " ")
    private static let quote = UInt8(ascii: "\"")
    /// Varint of a length up to the row bound.
    private static let prefixBytes = 3
    /// What an item adds to a chunk at most: lengths, row count, first timestamp, flag.
    private static let itemOverheadBytes = 32

    init(layout: RowLayout, capacity: Int, file: String) {
        self.layout = layout
        self.file = file
        columns = RowColumns(capacity: capacity)
        timestamps = TimestampParser(format: layout.format)
        parts = .allocate(capacity: layout.parts.count)
        _ = parts.initialize(from: layout.parts)
        fieldStarts = .allocate(capacity: layout.keyFieldCount)
        fieldEnds = .allocate(capacity: layout.keyFieldCount)
        scratch = .allocate(capacity: ChunkBuilder.rowBytesLimit + layout.keyFieldCount * Self.prefixBytes)
        previousStart = UnsafePointer(scratch)
        fieldStarts.initialize(repeating: previousStart, count: layout.keyFieldCount)
        fieldEnds.initialize(repeating: previousStart, count: layout.keyFieldCount)
    }

    deinit {
        parts.deinitialize()
        parts.deallocate()
        fieldStarts.deallocate()
        fieldEnds.deallocate()
        scratch.deallocate()
    }

    /// Parses one row, given without its line ending; `position` is that of its first byte.
    @inline(__always)
    func parse(_ start: UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>, at position: InputPosition) throws(TimeSeriesError) {
        if !parseQuickly(start, end) { try parseCarefully(UnsafeBufferPointer(start: start, count: end - start), at: position) }
    }

    @inline(__always)
    private func parseQuickly(_ start: UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>) -> Bool {
        var cursor = start
        var timestamp: EpochSeconds = 0
        var value = Double.nan
        var isNull = false
        let last = parts.count - 1
        for column in 0...last {
            guard let field = Self.field(cursor, end, isLast: column == last) else { return false }
            switch parts[column] {
            case .key(let slot):
                guard field.start < field.end || slot > 0 else { return false }
                fieldStarts[slot] = field.start
                fieldEnds[slot] = field.end
            case .timestamp:
                guard let seconds = timestamps.parse(field.start, field.end) else { return false }
                timestamp = seconds
            case .target(let isInteger):
                if field.start == field.end {
                    isNull = true
                    break
                }
                guard !isInteger || Self.isInteger(field.start, field.end),
                    case .value(let number) = NumberParser.parse(field.start, field.end)
                else { return false }
                value = number
            }
            cursor = field.next
        }
        guard let item = layout.keyFieldCount == 1 ? singleItem() : plainItem() else { return false }
        columns.append(item: item, timestamp: timestamp, value: value)
        if isNull { nullCount += 1 }
        return true
    }

    /// The item of a key with one field; most often that of the row before.
    @inline(__always)
    private func singleItem() -> Int? {
        let start = fieldStarts[0]
        let count = fieldEnds[0] - start
        if count == previousBytes,
            isEqual(
                UnsafeRawBufferPointer(start: start, count: count),
                UnsafeRawBufferPointer(start: previousStart, count: previousBytes))
        {
            return previousItem
        }
        return plainItem()
    }

    /// The item of the fields just read the quick way; nil where a key needs the careful one: a new one that breaks a rule of text,
    /// or one with a quotation mark, which the quick way cannot tell from a misplaced one.
    private func plainItem() -> Int? {
        let key = encodedKey()
        let hash = ItemTable.hash(key)
        if let known = items.find(key, hash: hash) {
            if hasQuoteInKeys, key.contains(Self.quote) { return nil }
            remember(known)
            return known
        }
        for slot in 0..<layout.keyFieldCount {
            let field = UnsafeBufferPointer(start: fieldStarts[slot], count: fieldEnds[slot] - fieldStarts[slot])
            if field.contains(Self.quote) || TextRules.broken(by: field) != nil { return nil }
        }
        let item = insert(key, hash)
        remember(item)
        return item
    }

    /// The item of fields that the careful way has checked.
    private func checkedItem() -> Int {
        let key = encodedKey()
        let hash = ItemTable.hash(key)
        if key.contains(Self.quote) { hasQuoteInKeys = true }
        return items.find(key, hash: hash) ?? insert(key, hash)
    }

    private func insert(_ key: UnsafeRawBufferPointer, _ hash: UInt64) -> Int {
        keyBytes += key.count + Self.itemOverheadBytes
        previousBytes = -1  // the table may move its keys
        return items.insert(key, hash: hash)
    }

    /// The key as `ItemKey` writes it, in the scratch.
    private func encodedKey() -> UnsafeRawBufferPointer {
        var length = 0
        for slot in 0..<layout.keyFieldCount {
            let count = fieldEnds[slot] - fieldStarts[slot]
            var rest = count
            while rest >= 0x80 {
                scratch[length] = UInt8(truncatingIfNeeded: rest) | 0x80
                length += 1
                rest >>= 7
            }
            scratch[length] = UInt8(rest)
            length += 1
            (scratch + length).update(from: fieldStarts[slot], count: count)
            length += count
        }
        return UnsafeRawBufferPointer(start: scratch, count: length)
    }

    /// Keeps where the key of the row before lies, for keys of one field.
    private func remember(_ item: Int) {
        guard layout.keyFieldCount == 1 else { return }
        let key = items.key(item)
        previousItem = item
        previousBytes = fieldEnds[0] - fieldStarts[0]
        previousStart = UnsafePointer(items.arena + items.offsets[item] + key.count - previousBytes)
    }

    // MARK: Careful

    private func parseCarefully(_ row: UnsafeBufferPointer<UInt8>, at position: InputPosition) throws(TimeSeriesError) {
        guard !row.isEmpty else { throw fault(.blankLine, at: position) }
        if row.contains(UInt8(ascii: "\r")) { throw fault(.bareCarriageReturn, at: position) }
        let fields = RowFields(row)
        if let found = fields.fault { throw fault(found.rule, at: position, column: found.column) }
        for (column, range) in fields.ranges.enumerated() {
            let isUTF8 = fields.bytes.withUnsafeBufferPointer { TextRules.isUTF8(UnsafeBufferPointer(rebasing: $0[range])) }
            if !isUTF8 { throw fault(.invalidUTF8, at: position, column: column) }
        }
        if position.offset == 0, isHeader(fields) { throw fault(.headerRow, at: position) }
        guard fields.ranges.count == parts.count else {
            throw fault(.columnCount(expected: parts.count, found: fields.ranges.count), at: position)
        }
        try fields.bytes.withUnsafeBufferPointer { bytes throws(TimeSeriesError) in
            try store(bytes, fields.ranges, at: position)
        }
    }

    private func store(
        _ bytes: UnsafeBufferPointer<UInt8>, _ ranges: [Range<Int>], at position: InputPosition
    ) throws(TimeSeriesError) {
        let base = bytes.baseAddress ?? UnsafePointer(scratch)
        var timestamp: EpochSeconds = 0
        var value = Double.nan
        var isNull = false
        var isNaN = false
        for (column, range) in ranges.enumerated() {
            let start = base + range.lowerBound
            let end = base + range.upperBound
            switch parts[column] {
            case .key(let slot):
                if slot == 0, range.isEmpty { throw fault(.missingValue, at: position, column: column) }
                if let rule = TextRules.broken(by: UnsafeBufferPointer(start: start, count: range.count)) {
                    throw fault(rule, at: position, column: column)
                }
                fieldStarts[slot] = start
                fieldEnds[slot] = end
            case .timestamp:
                if range.isEmpty { throw fault(.missingValue, at: position, column: column) }
                guard let seconds = timestamps.parse(start, end) else {
                    throw fault(.timestamp(layout.format), at: position, column: column)
                }
                timestamp = seconds
            case .target(let isInteger):
                isNull = range.isEmpty
                isNaN = !isInteger && Self.isNaN(start, end)
                if isNull || isNaN { break }
                value = try number(start, end, isInteger: isInteger, at: position, column: column)
            }
        }
        columns.append(item: checkedItem(), timestamp: timestamp, value: value)
        if isNull { nullCount += 1 }
        if isNaN { nanCount += 1 }
    }

    private func number(
        _ start: UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>, isInteger: Bool, at position: InputPosition, column: Int
    ) throws(TimeSeriesError) -> Double {
        if isInteger, !Self.isInteger(start, end) { throw fault(.integer, at: position, column: column) }
        switch NumberParser.parse(start, end) {
        case .value(let value): return value
        case .notANumber:
            throw fault(Self.isInfinity(start, end) ? .notFinite : .number, at: position, column: column)
        case .notFinite: throw fault(.notFinite, at: position, column: column)
        }
    }

    /// A first row is a header when its timestamp does not start with a digit, and a field is the name of its attribute or
    /// neither timestamp nor target starts like one.
    private func isHeader(_ fields: RowFields) -> Bool {
        var isNamed = false
        var startsLikeData = false
        for (column, range) in fields.ranges.enumerated() {
            let field = fields.bytes[range]
            let text = String(decoding: field, as: UTF8.self).lowercased()
            isNamed = isNamed || layout.names.contains { $0.lowercased() == text }
            guard column < parts.count, let first = field.first else { continue }
            let isLetter = (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(first | 0x20)
            switch parts[column] {
            case .key: continue
            case .timestamp: if first &- 48 < 10 { return false }
            case .target: if text == "nan" { startsLikeData = true }
            }
            if !isLetter { startsLikeData = true }
        }
        return isNamed || (!startsLikeData && fields.ranges.count == parts.count)
    }

    func fault(_ rule: RowRule, at position: InputPosition, column: Int? = nil) -> TimeSeriesError {
        let named = column.flatMap { number in
            number < layout.names.count ? RowLocation.Column(number: number + 1, name: layout.names[number]) : nil
        }
        return .malformedRow(rule, at: RowLocation(file: file, line: position.line, column: named))
    }

    // MARK: Fields

    /// Eight bytes at a time: a byte of `word ^ commas` is zero where a comma stands.
    @inline(__always)
    private static func firstComma(_ start: UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>) -> UnsafePointer<UInt8>? {
        var p = start
        while end - p >= 8 {
            let word = UInt64(littleEndian: UnsafeRawPointer(p).loadUnaligned(as: UInt64.self)) ^ 0x2C2C_2C2C_2C2C_2C2C
            let zeros = (word &- 0x0101_0101_0101_0101) & ~word & 0x8080_8080_8080_8080
            if zeros != 0 { return p + zeros.trailingZeroBitCount >> 3 }
            p += 8
        }
        while p < end {
            if p.pointee == comma { return p }
            p += 1
        }
        return nil
    }

    /// The field that starts here: plain, trimmed of spaces, or in quotes without a quote inside. nil where it is none of these,
    /// where the row ends before its last field, or goes on after it.
    @inline(__always)
    private static func field(
        _ cursor: UnsafePointer<UInt8>, _ rowEnd: UnsafePointer<UInt8>, isLast: Bool
    ) -> (start: UnsafePointer<UInt8>, end: UnsafePointer<UInt8>, next: UnsafePointer<UInt8>)? {
        guard cursor < rowEnd else { return isLast && cursor == rowEnd ? (cursor, cursor, cursor) : nil }
        if cursor.pointee == quote { return quotedField(cursor, rowEnd, isLast: isLast) }
        let comma = firstComma(cursor, rowEnd)
        guard (comma == nil) == isLast else { return nil }
        var start = cursor
        let fieldEnd = comma ?? rowEnd
        var end = fieldEnd
        while start < end, start.pointee == space { start += 1 }
        while start < end, end[-1] == space { end -= 1 }
        if start < end, start.pointee == quote { return nil }
        return (start, end, fieldEnd + 1)
    }

    private static func quotedField(
        _ cursor: UnsafePointer<UInt8>, _ rowEnd: UnsafePointer<UInt8>, isLast: Bool
    ) -> (start: UnsafePointer<UInt8>, end: UnsafePointer<UInt8>, next: UnsafePointer<UInt8>)? {
        var p = cursor + 1
        while p < rowEnd, p.pointee != quote { p += 1 }
        guard p < rowEnd else { return nil }
        let next = p + 1
        guard isLast ? next == rowEnd : next < rowEnd && next.pointee == comma else { return nil }
        return (cursor + 1, p, next + 1)
    }

    @inline(__always)
    private static func isInteger(_ start: UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>) -> Bool {
        var p = start
        if p < end, p.pointee == UInt8(ascii: "-") || p.pointee == UInt8(ascii: "+") { p += 1 }
        guard p < end else { return false }
        while p < end {
            if p.pointee &- 48 >= 10 { return false }
            p += 1
        }
        return true
    }

    private static func isNaN(_ start: UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>) -> Bool {
        lowercased(start, end) == "nan"
    }

    private static func isInfinity(_ start: UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>) -> Bool {
        ["inf", "+inf", "-inf", "infinity", "+infinity", "-infinity"].contains(lowercased(start, end))
    }

    private static func lowercased(_ start: UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>) -> String {
        String(decoding: UnsafeBufferPointer(start: start, count: end - start), as: UTF8.self).lowercased()
    }
}
