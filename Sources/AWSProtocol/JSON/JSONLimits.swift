/// The bounds within which a JSON text is read; what is beyond them is refused before it costs memory.
package struct JSONLimits: Sendable {
    /// Containers within containers.
    package var depth: Int
    /// Members and elements of all containers of the text together.
    package var entries: Int
    /// Length of the whole text.
    package var bytes: Int
    /// Length of one number: a double needs 24 at most.
    package var numberBytes: Int

    package init(depth: Int = 32, entries: Int = 1000, bytes: Int = 1 << 20, numberBytes: Int = 64) {
        self.depth = depth
        self.entries = entries
        self.bytes = bytes
        self.numberBytes = numberBytes
    }

    package static let `default` = JSONLimits()

    /// For answers of a service of our own or AWS's, which may hold long lists.
    package static let response = JSONLimits(entries: 100_000, bytes: 8 << 20)
}
