/// The fields of one row, split by the rules of RFC 4180 with a comma, unquoted and trimmed of spaces outside quotes.
///
/// This is the careful way that every row may go; the quick way of `RowParser` takes only rows for which both agree.
struct RowFields {
    struct Fault {
        let rule: RowRule
        /// Counted from 0.
        let column: Int
    }

    private(set) var bytes: [UInt8] = []
    private(set) var ranges: [Range<Int>] = []
    private(set) var fault: Fault?

    private static let quote = UInt8(ascii: "\"")
    private static let comma = UInt8(ascii: ",")
    private static let space = UInt8(ascii: " ")

    /// Splits a row without its line ending. A row with a fault keeps the fields before it.
    init(_ row: UnsafeBufferPointer<UInt8>) {
        var position = 0
        while true {
            while position < row.count, row[position] == Self.space { position += 1 }
            let start = bytes.count
            let isQuoted = position < row.count && row[position] == Self.quote
            if isQuoted { readQuoted(row, &position) } else { readPlain(row, &position) }
            if !isQuoted {
                while bytes.count > start, bytes.last == Self.space { bytes.removeLast() }
            }
            ranges.append(start..<bytes.count)
            guard fault == nil, position < row.count else { return }
            position += 1  // the comma
        }
    }

    private mutating func readPlain(_ row: UnsafeBufferPointer<UInt8>, _ position: inout Int) {
        while position < row.count, row[position] != Self.comma {
            if row[position] == Self.quote { return fail(.quoteInsideField) }
            bytes.append(row[position])
            position += 1
        }
    }

    private mutating func readQuoted(_ row: UnsafeBufferPointer<UInt8>, _ position: inout Int) {
        position += 1
        while true {
            guard position < row.count else { return fail(.newlineInQuotes) }
            let byte = row[position]
            position += 1
            if byte != Self.quote {
                bytes.append(byte)
            } else if position < row.count, row[position] == Self.quote {
                bytes.append(byte)
                position += 1
            } else {
                break
            }
        }
        while position < row.count, row[position] == Self.space { position += 1 }
        if position < row.count, row[position] != Self.comma { fail(.textAfterQuote) }
    }

    private mutating func fail(_ rule: RowRule) { fault = Fault(rule: rule, column: ranges.count) }
}
