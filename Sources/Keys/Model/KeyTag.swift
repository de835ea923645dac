import AWSProtocol

/// A tag of a key. Tags take part in decisions (`aws:ResourceTag/…`), so changing them can give and take rights.
package struct KeyTag: Sendable, Equatable {
    package static let maximumTags = 50
    package static let keyCharacters = 1...128
    package static let valueCharacters = 0...256

    package var key: String
    package var value: String

    package init(key: String, value: String) throws(KeyError) {
        guard Self.keyCharacters.contains(key.unicodeScalars.count), Self.valueCharacters.contains(value.unicodeScalars.count),
            !Self.isReserved(key)
        else {
            throw KeyError(
                .tag, "A tag's key has 1 to 128 characters and does not begin with aws:, its value at most 256.")
        }
        self.key = key
        self.value = value
    }

    static func isReserved(_ key: String) -> Bool { key.prefix(4).lowercased() == "aws:" }

    /// Each key once, and no more than a key may have.
    static func check(_ tags: [KeyTag]) throws(KeyError) {
        guard Set(tags.map(\.key)).count == tags.count else {
            throw KeyError(.tag, "Duplicate tag keys")
        }
        try checkCount(tags.count)
    }

    static func checkCount(_ count: Int) throws(KeyError) {
        guard count <= maximumTags else {
            throw KeyError(.limitExceeded, "A key has at most \(maximumTags) tags.")
        }
    }

    static func json(_ tags: [KeyTag]) -> String {
        JSONValue.array(tags.map { ["TagKey": .string($0.key), "TagValue": .string($0.value)] }).serializedString
    }

    static func parse(_ text: String) throws -> [KeyTag] {
        try (JSONValue.parse(Array(text.utf8)).arrayValue ?? []).map {
            try KeyTag(key: $0["TagKey"]?.stringValue ?? "", value: $0["TagValue"]?.stringValue ?? "")
        }
    }
}
