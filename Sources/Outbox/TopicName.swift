/// Names of topics: `<prefix>.jobs.<kind>` and `<prefix>.control`. Kafka's rule: 1–249 of letters, digits, `.`, `_`, `-`.
package struct TopicName: Sendable, Hashable, CustomStringConvertible {
    package static let nameBytes = 249

    package let name: String

    /// Throws `.topic`.
    package init(_ name: String) throws(OutboxError) {
        let letters = UInt8(ascii: "a")...UInt8(ascii: "z")
        let capitals = UInt8(ascii: "A")...UInt8(ascii: "Z")
        let digits = UInt8(ascii: "0")...UInt8(ascii: "9")
        guard (1...Self.nameBytes).contains(name.utf8.count), name != ".", name != "..",
            name.utf8.allSatisfy({
                letters.contains($0) || capitals.contains($0) || digits.contains($0) || "._-".utf8.contains($0)
            })
        else { throw OutboxError(.topic, "a topic's name has 1 to 249 letters, digits, dots, underscores and hyphens") }
        self.name = name
    }

    /// The doorbell of a job kind.
    package static func jobs(prefix: String, kind: String) throws(OutboxError) -> TopicName {
        try TopicName("\(prefix).jobs.\(kind)")
    }

    /// Announcements that make the next beat come sooner.
    package static func control(prefix: String) throws(OutboxError) -> TopicName { try TopicName("\(prefix).control") }

    package var description: String { name }
}
