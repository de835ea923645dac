package import Secrets

/// Takes one member out of a request or an answer before the rest is parsed, so that a data key is never in a `String`.
package enum SecretMember {
    /// Reads the top-level string member of that name, base64, straight into locked memory. `rest` is the text with an
    /// empty string in its place; it stays for the parser to judge.
    ///
    /// Throws for a member that occurs twice or is no string of base64. Of escapes only that of the slash is read in the
    /// value, which is the one that encoders write into base64, and none in the name.
    package static func extract(
        _ name: String, from text: UnsafeRawBufferPointer
    ) throws(JSONError) -> (secret: SharedSecret?, rest: [UInt8]) {
        var scanner = Scanner(text: text, name: Array(name.utf8))
        guard let range = try scanner.findValue() else { return (nil, Array(text)) }
        let value = UnsafeRawBufferPointer(rebasing: text[range])
        guard let secret = decode(value) else {
            throw JSONError(code: .syntax, offset: range.lowerBound, message: "The member \(name) is not base64")
        }
        return (secret, Array(text[..<range.lowerBound]) + Array(text[range.upperBound...]))
    }

    private static func decode(_ value: UnsafeRawBufferPointer) -> SharedSecret? {
        let escapes = value.count { $0 == UInt8(ascii: "\\") }
        guard escapes > 0 else { return Base64.decodeSecret(value) }
        var isPlain = true
        let text = SecretBytes(count: value.count - escapes) { target in
            var position = 0
            var isEscaped = false
            for byte in value {
                isPlain = isPlain && (!isEscaped || byte == UInt8(ascii: "/"))
                isEscaped = !isEscaped && byte == UInt8(ascii: "\\")
                if isEscaped || !isPlain { continue }
                target[position] = byte
                position += 1
            }
        }
        return isPlain ? text.withUnsafeBytes { Base64.decodeSecret($0) } : nil
    }

    /// Follows strings and nesting only.
    private struct Scanner {
        let text: UnsafeRawBufferPointer
        let name: [UInt8]
        private var position = 0
        private var depth = 0

        init(text: UnsafeRawBufferPointer, name: [UInt8]) {
            self.text = text
            self.name = name
        }

        /// Where the member's text stands, between its quotes.
        mutating func findValue() throws(JSONError) -> Range<Int>? {
            var found: Range<Int>?
            while position < text.count {
                switch text[position] {
                case UInt8(ascii: "{"), UInt8(ascii: "["):
                    depth += 1
                    position += 1
                case UInt8(ascii: "}"), UInt8(ascii: "]"):
                    depth -= 1
                    position += 1
                case UInt8(ascii: "\""):
                    let string = try takeString()
                    guard depth == 1, take(UInt8(ascii: ":")), text[string].elementsEqual(name) else { continue }
                    skipWhitespace()
                    guard found == nil, position < text.count, text[position] == UInt8(ascii: "\"") else {
                        throw JSONError(
                            code: .syntax, offset: position, message: "The secret member is not one string")
                    }
                    found = try takeString()
                default:
                    position += 1
                }
            }
            return found
        }

        /// Over a string that begins here, to behind its end; the range is what stands between the quotes.
        private mutating func takeString() throws(JSONError) -> Range<Int> {
            position += 1
            let start = position
            while position < text.count {
                if text[position] == UInt8(ascii: "\"") {
                    position += 1
                    return start..<(position - 1)
                }
                position += text[position] == UInt8(ascii: "\\") ? 2 : 1
            }
            throw JSONError(code: .syntax, offset: start, message: "A string is not closed")
        }

        private mutating func take(_ byte: UInt8) -> Bool {
            skipWhitespace()
            guard position < text.count, text[position] == byte else { return false }
            position += 1
            return true
        }

        private mutating func skipWhitespace() {
            while position < text.count, [0x20, 0x09, 0x0A, 0x0D].contains(text[position]) { position += 1 }
        }
    }
}
