/// The beginning of keys: empty (all), a folder with its slash, or a folder and the beginning of a segment.
package struct ObjectPrefix: Sendable, Hashable, CustomStringConvertible {
    package let text: String

    package static let all = ObjectPrefix(unchecked: "")

    package init(_ text: String) throws(ObjectStoreError) {
        try NameRules.check(text, what: "prefix")
        let (folder, leaf) = text.splitAtLastSlash()
        if !folder.isEmpty { try NameRules.check(segments: folder.dropLast(), what: "prefix") }
        guard leaf.utf8.count <= NameRules.segmentBytes else {
            throw ObjectStoreError(.invalidName, "prefix has a segment longer than \(NameRules.segmentBytes) bytes")
        }
        self.text = text
    }

    private init(unchecked text: String) { self.text = text }

    /// The folder that holds everything under this prefix, with its slash; empty at the top.
    var folder: String { String(text.splitAtLastSlash().folder) }

    package var description: String { text.printable }

    package static func == (a: ObjectPrefix, b: ObjectPrefix) -> Bool { a.text.utf8.elementsEqual(b.text.utf8) }

    package func hash(into hasher: inout Hasher) {
        for byte in text.utf8 { hasher.combine(byte) }
    }
}
