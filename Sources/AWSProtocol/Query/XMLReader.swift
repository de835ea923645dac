/// An element of an answer of the Query protocol or of S3: its name without prefix, its text, the elements in it.
package struct XMLElement: Sendable, Equatable {
    package let name: String
    package let text: String
    package let children: [XMLElement]

    /// The first child of that name.
    package subscript(name: String) -> XMLElement? {
        children.first { $0.name == name }
    }
}

/// Reads the small part of XML that those answers use: elements, text, the five named entities and numbered ones.
/// Document types, processing instructions other than the first line, CDATA and comments are refused: nobody sends
/// them, and most faults of XML readers live there.
package struct XMLReader {
    package static let maximumBytes = 1 << 20
    package static let maximumDepth = 32

    private let bytes: [UInt8]
    private var position = 0

    /// The root element; nil for anything else than one well-formed document within the bounds.
    package static func parse(_ bytes: [UInt8], maximumBytes: Int = Self.maximumBytes) -> XMLElement? {
        guard bytes.count <= maximumBytes else { return nil }
        var reader = XMLReader(bytes: bytes)
        reader.skipWhitespace()
        if reader.take("<?xml") {
            while !reader.take("?>") { guard reader.advance() else { return nil } }
            reader.skipWhitespace()
        }
        guard let root = reader.element(depth: 1) else { return nil }
        reader.skipWhitespace()
        return reader.position == bytes.count ? root : nil
    }

    private init(bytes: [UInt8]) { self.bytes = bytes }

    private mutating func element(depth: Int) -> XMLElement? {
        guard depth <= Self.maximumDepth, take("<"), let name = name() else { return nil }
        guard let isClosed = attributes() else { return nil }
        let local = String(name.split(separator: ":").last ?? "")
        if isClosed { return XMLElement(name: local, text: "", children: []) }
        var text: [UInt8] = []
        var children: [XMLElement] = []
        while position < bytes.count {
            if take("</") {
                guard self.name() == name else { return nil }
                skipWhitespace()
                guard take(">"), let text = String(validating: text, as: UTF8.self) else { return nil }
                return XMLElement(name: local, text: text, children: children)
            }
            switch bytes[position] {
            case UInt8(ascii: "<"):
                guard let child = element(depth: depth + 1) else { return nil }
                children.append(child)
            case UInt8(ascii: "&"):
                guard let scalar = entity() else { return nil }
                text.append(contentsOf: String(Character(scalar)).utf8)
            default:
                text.append(bytes[position])
                position += 1
            }
        }
        return nil
    }

    private mutating func name() -> String? {
        let start = position
        while position < bytes.count, Self.isNameByte(bytes[position]) { position += 1 }
        return position > start ? String(decoding: bytes[start..<position], as: UTF8.self) : nil
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "."),
            UInt8(ascii: ":"):
            true
        default: false
        }
    }

    /// Over the attributes, which are ignored, and the end of the tag; whether the element ended with it.
    private mutating func attributes() -> Bool? {
        while true {
            skipWhitespace()
            if take("/>") { return true }
            if take(">") { return false }
            guard name() != nil else { return nil }
            skipWhitespace()
            guard take("=") else { return nil }
            skipWhitespace()
            guard position < bytes.count else { return nil }
            let quote = bytes[position]
            guard quote == UInt8(ascii: "\"") || quote == UInt8(ascii: "'") else { return nil }
            position += 1
            while position < bytes.count, bytes[position] != quote {
                guard bytes[position] != UInt8(ascii: "<") else { return nil }
                position += 1
            }
            guard advance() else { return nil }
        }
    }

    private mutating func entity() -> Unicode.Scalar? {
        let named: [(StaticString, Unicode.Scalar)] = [
            ("&amp;", "&"), ("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&apos;", "'"),
        ]
        for (text, scalar) in named where take(text) { return scalar }
        guard take("&#") else { return nil }
        let isHex = take("x")
        let start = position
        while position < bytes.count, position - start < 8, bytes[position] != UInt8(ascii: ";") { position += 1 }
        let digits = String(decoding: bytes[start..<position], as: UTF8.self)
        guard take(";"), digits.utf8.allSatisfy({ hexDigitValue($0) != nil }) else { return nil }
        guard let value = UInt32(digits, radix: isHex ? 16 : 10), value != 0 else { return nil }
        return Unicode.Scalar(value)
    }

    private mutating func skipWhitespace() {
        while position < bytes.count, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[position]) { position += 1 }
    }

    private mutating func advance() -> Bool {
        guard position < bytes.count else { return false }
        position += 1
        return true
    }

    private mutating func take(_ text: StaticString) -> Bool {
        let expected = UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount)
        guard bytes[position...].starts(with: expected) else { return false }
        position += text.utf8CodeUnitCount
        return true
    }
}
