/// Writes the XML of the Query protocol's answers: elements and text, escaped; nothing else.
package struct XMLWriter: Sendable {
    package private(set) var bytes: [UInt8] = []

    package init() {}

    /// An element with the elements that the closure writes. Names are constants of the code.
    package mutating func element<E: Error>(
        _ name: String, namespace: String? = nil, _ content: (inout XMLWriter) throws(E) -> Void
    ) throws(E) {
        append("<\(name)")
        if let namespace {
            append(" xmlns=\"")
            appendEscaped(namespace)
            append("\"")
        }
        append(">")
        try content(&self)
        append("</\(name)>")
    }

    /// An element with text.
    package mutating func element(_ name: String, _ text: String) {
        append("<\(name)>")
        appendEscaped(text)
        append("</\(name)>")
    }

    /// An element with text, left out where there is none.
    package mutating func element(_ name: String, ifPresent text: String?) {
        if let text { element(name, text) }
    }

    private mutating func append(_ text: String) { bytes.append(contentsOf: text.utf8) }

    private mutating func appendEscaped(_ text: String) {
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": append("&amp;")
            case "<": append("&lt;")
            case ">": append("&gt;")
            case "\"": append("&quot;")
            case "'": append("&#39;")
            // A bare carriage return would be read as a line feed.
            case "\r": append("&#13;")
            case "\t", "\n": bytes.append(UInt8(scalar.value))
            // XML 1.0 has no way to write the other control characters, U+FFFE and U+FFFF.
            case "\u{0}"..."\u{1F}", "\u{7F}", "\u{FFFE}", "\u{FFFF}": append("\u{FFFD}")
            default: append(String(scalar))
            }
        }
    }
}
