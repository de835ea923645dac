extension JSONValue {
    /// Reads exactly one JSON text (RFC 8259) and refuses what parsers disagree on: doubled names, invalid UTF-8,
    /// NUL, lone surrogates, NaN, numbers that do not fit, anything after the value.
    ///
    /// Whole numbers are exact within Int64 and refused beyond it.
    package static func parse(
        _ bytes: some Collection<UInt8>, limits: JSONLimits = .default
    ) throws(JSONError) -> JSONValue {
        guard bytes.count <= limits.bytes else {
            throw JSONError(code: .tooLong, offset: limits.bytes, message: "The text is too long")
        }
        var parser = JSONParser(bytes: Array(bytes), limits: limits)
        return try parser.parseText()
    }

    package static func parse(_ text: String, limits: JSONLimits = .default) throws(JSONError) -> JSONValue {
        try parse(Array(text.utf8), limits: limits)
    }
}

/// One pass over the bytes; recursion is bounded by `JSONLimits.depth`.
struct JSONParser {
    private let bytes: [UInt8]
    private let limits: JSONLimits
    private var position = 0
    private var depth = 0
    private var entries = 0

    init(bytes: [UInt8], limits: JSONLimits) {
        self.bytes = bytes
        self.limits = limits
    }

    mutating func parseText() throws(JSONError) -> JSONValue {
        skipWhitespace()
        let value = try parseValue()
        skipWhitespace()
        guard position == bytes.count else { throw failure(.syntax, "Unexpected text after the value") }
        return value
    }

    private mutating func parseValue() throws(JSONError) -> JSONValue {
        guard let byte = peek() else { throw failure(.syntax, "A value is missing") }
        switch byte {
        case UInt8(ascii: "{"): return try parseObject()
        case UInt8(ascii: "["): return try parseArray()
        case UInt8(ascii: "\""): return .string(try parseString())
        case UInt8(ascii: "t"): return try parseWord("true", .bool(true))
        case UInt8(ascii: "f"): return try parseWord("false", .bool(false))
        case UInt8(ascii: "n"): return try parseWord("null", .null)
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try parseNumber()
        default: throw failure(.syntax, "A value is missing")
        }
    }

    private mutating func parseObject() throws(JSONError) -> JSONValue {
        try enter()
        var members: [JSONObject.Member] = []
        // Swift's equality, wider than the bytes': names that merely look the same are refused too.
        var seen: Set<String> = []
        skipWhitespace()
        if take(UInt8(ascii: "}")) {
            depth -= 1
            return .object(JSONObject())
        }
        repeat {
            skipWhitespace()
            let keyPosition = position
            guard peek() == UInt8(ascii: "\"") else { throw failure(.syntax, "A member's name is missing") }
            let key = try parseString()
            guard seen.insert(key).inserted else {
                throw JSONError(code: .duplicateKey, offset: keyPosition, message: "A member occurs twice")
            }
            skipWhitespace()
            guard take(UInt8(ascii: ":")) else { throw failure(.syntax, "A colon is missing") }
            skipWhitespace()
            try countEntry()
            members.append(JSONObject.Member(key: key, value: try parseValue()))
            skipWhitespace()
        } while take(UInt8(ascii: ","))
        guard take(UInt8(ascii: "}")) else { throw failure(.syntax, "The object is not closed") }
        depth -= 1
        return .object(JSONObject(uniqueMembers: members))
    }

    private mutating func parseArray() throws(JSONError) -> JSONValue {
        try enter()
        var elements: [JSONValue] = []
        skipWhitespace()
        if take(UInt8(ascii: "]")) {
            depth -= 1
            return .array([])
        }
        repeat {
            skipWhitespace()
            try countEntry()
            elements.append(try parseValue())
            skipWhitespace()
        } while take(UInt8(ascii: ","))
        guard take(UInt8(ascii: "]")) else { throw failure(.syntax, "The array is not closed") }
        depth -= 1
        return .array(elements)
    }

    private mutating func parseWord(_ word: StaticString, _ value: JSONValue) throws(JSONError) -> JSONValue {
        let end = position + word.utf8CodeUnitCount
        let expected = UnsafeBufferPointer(start: word.utf8Start, count: word.utf8CodeUnitCount)
        guard end <= bytes.count, bytes[position..<end].elementsEqual(expected) else {
            throw failure(.syntax, "A value is missing")
        }
        position = end
        return value
    }

    private mutating func parseNumber() throws(JSONError) -> JSONValue {
        let start = position
        _ = take(UInt8(ascii: "-"))
        if take(UInt8(ascii: "0")) {
            if let next = peek(), isDigit(next) { throw failure(.syntax, "A number starts with zero") }
        } else {
            try takeDigits()
        }
        var isWhole = true
        if take(UInt8(ascii: ".")) {
            isWhole = false
            try takeDigits()
        }
        if take(UInt8(ascii: "e")) || take(UInt8(ascii: "E")) {
            isWhole = false
            if !take(UInt8(ascii: "+")) { _ = take(UInt8(ascii: "-")) }
            try takeDigits()
        }
        guard position - start <= limits.numberBytes else {
            throw JSONError(code: .numberOutOfRange, offset: start, message: "A number is too long")
        }
        let text = String(decoding: bytes[start..<position], as: UTF8.self)
        if isWhole, let value = Int64(text) { return .int(value) }
        if !isWhole, let value = Double(text), value.isFinite { return .double(value) }
        throw JSONError(code: .numberOutOfRange, offset: start, message: "A number is out of range")
    }

    private mutating func takeDigits() throws(JSONError) {
        let start = position
        while let byte = peek(), isDigit(byte) { position += 1 }
        guard position > start else { throw failure(.syntax, "A digit is missing") }
    }

    private mutating func parseString() throws(JSONError) -> String {
        let opening = position
        position += 1
        var runStart = position
        var unescaped: [UInt8] = []
        while let byte = peek() {
            if byte == UInt8(ascii: "\"") {
                unescaped.append(contentsOf: bytes[runStart..<position])
                position += 1
                guard let text = String(validating: unescaped, as: UTF8.self) else {
                    throw JSONError(code: .invalidUTF8, offset: opening, message: "A string is not valid UTF-8")
                }
                return text
            }
            guard byte >= 0x20 else { throw failure(.controlCharacter, "A string holds a control character") }
            position += 1
            if byte == UInt8(ascii: "\\") {
                unescaped.append(contentsOf: bytes[runStart..<(position - 1)])
                try parseEscape(into: &unescaped)
                runStart = position
            }
        }
        throw failure(.syntax, "A string is not closed")
    }

    private mutating func parseEscape(into output: inout [UInt8]) throws(JSONError) {
        guard let byte = peek() else { throw failure(.syntax, "A string is not closed") }
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): output.append(byte)
        case UInt8(ascii: "b"): output.append(0x08)
        case UInt8(ascii: "f"): output.append(0x0C)
        case UInt8(ascii: "n"): output.append(0x0A)
        case UInt8(ascii: "r"): output.append(0x0D)
        case UInt8(ascii: "t"): output.append(0x09)
        case UInt8(ascii: "u"): output.append(contentsOf: String(try parseEscapedScalar()).utf8)
        default: throw failure(.syntax, "An escape is unknown")
        }
    }

    private mutating func parseEscapedScalar() throws(JSONError) -> Character {
        let start = position
        let first = try parseHex4()
        guard first != 0 else { throw failure(.controlCharacter, "A string holds NUL") }
        if let scalar = Unicode.Scalar(first) { return Character(scalar) }
        let lone = JSONError(code: .loneSurrogate, offset: start, message: "A surrogate stands alone")
        guard (0xD800..<0xDC00).contains(first), take(UInt8(ascii: "\\")), take(UInt8(ascii: "u")) else { throw lone }
        let second = try parseHex4()
        guard (0xDC00..<0xE000).contains(second),
            let scalar = Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00))
        else { throw lone }
        return Character(scalar)
    }

    private mutating func parseHex4() throws(JSONError) -> UInt32 {
        guard position + 4 <= bytes.count else { throw failure(.syntax, "An escape is cut short") }
        var value: UInt32 = 0
        for byte in bytes[position..<(position + 4)] {
            guard let digit = hexDigitValue(byte) else { throw failure(.syntax, "An escape is not hexadecimal") }
            value = value << 4 | UInt32(digit)
        }
        position += 4
        return value
    }

    private mutating func enter() throws(JSONError) {
        position += 1
        depth += 1
        guard depth <= limits.depth else { throw failure(.tooDeep, "The text is nested too deep") }
    }

    private mutating func countEntry() throws(JSONError) {
        entries += 1
        guard entries <= limits.entries else { throw failure(.tooManyEntries, "The text has too many entries") }
    }

    private mutating func skipWhitespace() {
        while let byte = peek(), byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { position += 1 }
    }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard peek() == byte else { return false }
        position += 1
        return true
    }

    private func peek() -> UInt8? { position < bytes.count ? bytes[position] : nil }

    private func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

    private func failure(_ code: JSONError.Code, _ message: String) -> JSONError {
        JSONError(code: code, offset: position, message: message)
    }
}
