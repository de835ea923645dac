/// Why a text was refused as JSON: the rule that it broke and the byte where, never the text itself.
package struct JSONError: Error, Sendable, Equatable, CustomStringConvertible {
    package struct Code: Sendable, Hashable {
        private enum Value { case syntax, encoding, duplicateKey, number, surrogate, control, depth, entries, bytes }
        private let value: Value
        private init(_ value: Value) { self.value = value }

        package static let syntax = Code(.syntax)
        package static let invalidUTF8 = Code(.encoding)
        package static let duplicateKey = Code(.duplicateKey)
        package static let numberOutOfRange = Code(.number)
        package static let loneSurrogate = Code(.surrogate)
        package static let controlCharacter = Code(.control)
        package static let tooDeep = Code(.depth)
        package static let tooManyEntries = Code(.entries)
        package static let tooLong = Code(.bytes)
    }

    package let code: Code
    /// Offset in bytes from the start of the text.
    package let offset: Int
    package let message: String

    package var isRetriable: Bool { false }
    package var description: String { "\(message) at byte \(offset)" }
}
