/// Standard base64 with padding (RFC 4648 section 4), strict: no white space, no other alphabet, no bits left over.
///
/// Both directions compute each digit instead of looking it up, so that the time taken and the memory touched say nothing of a
/// data key that passes through here.
package enum Base64 {
    package static func encode(_ bytes: some Collection<UInt8>) -> String {
        let source = Array(bytes)
        let count = encodedCount(source.count)
        let text = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            source.withUnsafeBytes { encode($0, into: UnsafeMutableRawBufferPointer(buffer)) }
            initialized = count
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// Encodes into a buffer of `encodedCount` bytes without any other copy.
    package static func encode(_ bytes: UnsafeRawBufferPointer, into text: UnsafeMutableRawBufferPointer) {
        precondition(text.count == encodedCount(bytes.count), "The buffer must have room for just the text.")
        var written = 0
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let count = min(3, bytes.count - start)
            var group: UInt32 = 0
            for byte in 0..<count { group |= UInt32(bytes[start + byte]) << UInt32(16 - 8 * byte) }
            for digit in 0..<4 {
                text[written] = digit <= count ? symbol(group >> UInt32(18 - 6 * digit) & 63) : UInt8(ascii: "=")
                written += 1
            }
        }
    }

    package static func encodedCount(_ count: Int) -> Int { (count + 2) / 3 * 4 }

    /// The bytes that the text stands for; nil when it is not base64.
    package static func decode(_ text: some StringProtocol) -> [UInt8]? {
        let source = Array(text.utf8)
        guard let count = source.withUnsafeBytes({ decodedCount($0) }) else { return nil }
        var isValid = false
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            isValid = source.withUnsafeBytes { decode($0, into: UnsafeMutableRawBufferPointer(buffer)) }
            initialized = isValid ? count : 0
        }
        return isValid ? bytes : nil
    }

    /// How many bytes a text of base64 stands for, going by its length and padding; nil for an impossible length.
    package static func decodedCount(_ text: UnsafeRawBufferPointer) -> Int? {
        guard text.count.isMultiple(of: 4) else { return nil }
        guard let last = text.last else { return 0 }
        let padding = last != UInt8(ascii: "=") ? 0 : text[text.count - 2] != UInt8(ascii: "=") ? 1 : 2
        return text.count / 4 * 3 - padding
    }

    /// Decodes into a buffer of `decodedCount` bytes without any other copy; false when the text is not base64.
    package static func decode(_ text: UnsafeRawBufferPointer, into bytes: UnsafeMutableRawBufferPointer) -> Bool {
        guard decodedCount(text) == bytes.count else { return false }
        var isValid = true
        var written = 0
        for start in stride(from: 0, to: text.count, by: 4) {
            let count = min(3, bytes.count - written)
            var group: UInt32 = 0
            for digit in 0..<4 {
                let value: Int32
                if digit <= count {
                    value = digitValue(text[start + digit])
                } else {
                    value = text[start + digit] == UInt8(ascii: "=") ? 0 : -1
                }
                isValid = isValid && value >= 0
                group = group << 6 | UInt32(truncatingIfNeeded: value) & 63
            }
            // Bits that no byte takes up must be zero: one value has one text.
            isValid = isValid && (count == 3 || group & (count == 2 ? 0xFF : 0xFFFF) == 0)
            for byte in 0..<count {
                bytes[written + byte] = UInt8(truncatingIfNeeded: group >> UInt32(16 - 8 * byte))
            }
            written += count
        }
        return isValid
    }

    /// All ones where low ≤ value ≤ high, else zero.
    @inline(__always)
    private static func mask(_ value: Int32, _ low: Int32, _ high: Int32) -> Int32 {
        ~((value &- low) >> 31) & ~((high &- value) >> 31)
    }

    /// The digit's value, -1 for any other byte.
    private static func digitValue(_ byte: UInt8) -> Int32 {
        let value = Int32(byte)
        var result: Int32 = -1
        result &+= mask(value, 65, 90) & (value &- 65 &+ 1)
        result &+= mask(value, 97, 122) & (value &- 97 &+ 26 &+ 1)
        result &+= mask(value, 48, 57) & (value &- 48 &+ 52 &+ 1)
        result &+= mask(value, 43, 43) & 63
        result &+= mask(value, 47, 47) & 64
        return result
    }

    private static func symbol(_ digit: UInt32) -> UInt8 {
        let value = Int32(digit)
        var result: Int32 = 0
        result |= mask(value, 0, 25) & (value &+ 65)
        result |= mask(value, 26, 51) & (value &- 26 &+ 97)
        result |= mask(value, 52, 61) & (value &- 52 &+ 48)
        result |= mask(value, 62, 62) & 43
        result |= mask(value, 63, 63) & 47
        return UInt8(truncatingIfNeeded: result)
    }
}
