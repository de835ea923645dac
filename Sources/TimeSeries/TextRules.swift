/// What the text of an item id or dimension must be: UTF-8 without control characters.
enum TextRules {
    static func broken(by bytes: UnsafeBufferPointer<UInt8>) -> RowRule? {
        var isASCII = true
        for byte in bytes {
            if byte < 0x20 || byte == 0x7F { return .controlCharacter }
            if byte >= 0x80 { isASCII = false }
        }
        if isASCII || isUTF8(bytes) { return nil }
        return .invalidUTF8
    }

    static func isUTF8(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool { String(validating: bytes, as: UTF8.self) != nil }
}
