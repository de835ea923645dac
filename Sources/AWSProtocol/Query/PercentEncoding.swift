/// Percent-encoding by RFC 3986: everything but letters, digits and `-._~` becomes `%XX` in capitals.
package enum PercentEncoding {
    package static func encode(_ text: some StringProtocol) -> String {
        encode(Array(text.utf8), keepingSlash: false)
    }

    package static func encode(_ bytes: [UInt8], keepingSlash: Bool) -> String {
        var output: [UInt8] = []
        output.reserveCapacity(bytes.count)
        for byte in bytes {
            switch byte {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                output.append(byte)
            case UInt8(ascii: "/") where keepingSlash:
                output.append(byte)
            default:
                output.append(UInt8(ascii: "%"))
                output.append(contentsOf: Hex.encode(CollectionOfOne(byte)).utf8.map(\.asciiUppercased))
            }
        }
        return String(decoding: output, as: UTF8.self)
    }

    /// The text that is meant; nil for a broken escape, invalid UTF-8 or NUL. With `plusIsSpace` (form bodies) a plus
    /// stands for a space.
    package static func decode(_ text: some Collection<UInt8>, plusIsSpace: Bool) -> String? {
        let bytes = Array(text)
        var output: [UInt8] = []
        output.reserveCapacity(bytes.count)
        var index = 0
        while index < bytes.count {
            switch bytes[index] {
            case UInt8(ascii: "%"):
                guard index + 2 < bytes.count, let high = hexDigitValue(bytes[index + 1]),
                    let low = hexDigitValue(bytes[index + 2])
                else { return nil }
                output.append(high << 4 | low)
                index += 3
            case UInt8(ascii: "+") where plusIsSpace:
                output.append(0x20)
                index += 1
            default:
                output.append(bytes[index])
                index += 1
            }
        }
        guard !output.contains(0) else { return nil }
        return String(validating: output, as: UTF8.self)
    }
}

extension UInt8 {
    fileprivate var asciiUppercased: UInt8 {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(self) ? self & ~0x20 : self
    }
}
