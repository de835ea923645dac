/// The name of an object in its bucket or store. See `NameRules` for what is refused.
///
/// Keys are equal, and ordered, by their bytes: Swift's own equality of text would make one key of two that a
/// bucket keeps apart (a composed and a decomposed "é").
package struct ObjectKey: Sendable, Hashable, Comparable, CustomStringConvertible {
    package let name: String

    package init(_ name: String) throws(ObjectStoreError) {
        try NameRules.check(name, what: "object key")
        try NameRules.check(segments: name[...], what: "object key")
        self.name = name
    }

    /// The folder with its slash (empty at the top) and the last segment.
    var parts: (folder: Substring, leaf: Substring) { name.splitAtLastSlash() }

    package var description: String { name.printable }

    package static func == (a: ObjectKey, b: ObjectKey) -> Bool { a.name.utf8.elementsEqual(b.name.utf8) }

    package static func < (a: ObjectKey, b: ObjectKey) -> Bool { a.name.utf8.lexicographicallyPrecedes(b.name.utf8) }

    package func hash(into hasher: inout Hasher) {
        for byte in name.utf8 { hasher.combine(byte) }
    }
}
