/// A rule that a row of the input broke. The text says what is expected and never repeats what was found.
package struct RowRule: Sendable, Hashable, CustomStringConvertible {
    private enum Base: Hashable {
        case columnCount(expected: Int, found: Int)
        case timestamp(TimestampFormat)
        case number, integer, notFinite, missingValue
        case headerRow, emptyFile, blankLine, rowTooLong(bytes: Int)
        case byteOrderMark, invalidUTF8, controlCharacter, bareCarriageReturn
        case newlineInQuotes, quoteInsideField, textAfterQuote
    }
    private let base: Base
    private init(_ base: Base) { self.base = base }

    package static func columnCount(expected: Int, found: Int) -> RowRule {
        .init(.columnCount(expected: expected, found: found))
    }
    package static func timestamp(_ format: TimestampFormat) -> RowRule { .init(.timestamp(format)) }
    package static let number = RowRule(.number)
    package static let integer = RowRule(.integer)
    package static let notFinite = RowRule(.notFinite)
    package static let missingValue = RowRule(.missingValue)
    package static let headerRow = RowRule(.headerRow)
    package static let emptyFile = RowRule(.emptyFile)
    package static let blankLine = RowRule(.blankLine)
    package static func rowTooLong(bytes: Int) -> RowRule { .init(.rowTooLong(bytes: bytes)) }
    package static let byteOrderMark = RowRule(.byteOrderMark)
    package static let invalidUTF8 = RowRule(.invalidUTF8)
    package static let controlCharacter = RowRule(.controlCharacter)
    package static let bareCarriageReturn = RowRule(.bareCarriageReturn)
    package static let newlineInQuotes = RowRule(.newlineInQuotes)
    package static let quoteInsideField = RowRule(.quoteInsideField)
    package static let textAfterQuote = RowRule(.textAfterQuote)

    package var description: String {
        switch base {
        case .columnCount(let expected, let found):
            "the schema has \(expected) attributes, the row has \(found) columns"
        case .timestamp(let format): "not a timestamp of the form \(format.rawValue)"
        case .number: "not a number"
        case .integer: "not an integer"
        case .notFinite: "a number must be finite"
        case .missingValue: "a value is required here"
        case .headerRow: "the file starts with a header row; remove it"
        case .emptyFile: "the file is empty"
        case .blankLine: "the line is blank"
        case .rowTooLong(let bytes): "the row is longer than \(bytes) bytes"
        case .byteOrderMark: "the file starts with a byte-order mark; remove it"
        case .invalidUTF8: "the text is not valid UTF-8"
        case .controlCharacter: "the text holds a control character"
        case .bareCarriageReturn: "a carriage return is not followed by a newline"
        case .newlineInQuotes: "a quoted field does not end on its line"
        case .quoteInsideField: "a quotation mark inside a field that does not start with one"
        case .textAfterQuote: "text follows the closing quotation mark"
        }
    }
}
