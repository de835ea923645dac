import AWSProtocol

/// A tag of a user, role, policy, device or session.
package struct IdentityTag: Sendable, Hashable {
    package static let keyCharacters = 1...128
    package static let maximumValueCharacters = 256

    package let key: String
    package let value: String

    /// Throws `invalidInput` where key or value breaks the rules of IAM's model.
    package init(key: String, value: String) throws(AccountsError) {
        guard Self.keyCharacters.contains(key.unicodeScalars.count), key.unicodeScalars.allSatisfy(Self.isAllowed) else {
            throw AccountsError(.invalidInput, "A tag's key has 1 to 128 letters, digits, spaces or characters of _.:/=+-@")
        }
        guard !key.asciiLowercased.hasPrefix("aws:") else {
            throw AccountsError(.invalidInput, "A tag's key must not begin with aws:")
        }
        guard value.unicodeScalars.count <= Self.maximumValueCharacters, value.unicodeScalars.allSatisfy(Self.isAllowed) else {
            throw AccountsError(
                .invalidInput, "A tag's value has at most 256 letters, digits, spaces or characters of _.:/=+-@")
        }
        self.init(stored: key, value)
    }

    init(stored key: String, _ value: String) {
        self.key = key
        self.value = value
    }

    /// `[\p{L}\p{Z}\p{N}_.:/=+\-@]`
    private static func isAllowed(_ scalar: Unicode.Scalar) -> Bool {
        if "_.:/=+-@".unicodeScalars.contains(scalar) { return true }
        switch scalar.properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter, .spaceSeparator,
            .lineSeparator, .paragraphSeparator, .decimalNumber, .letterNumber, .otherNumber:
            return true
        default:
            return false
        }
    }
}

/// Tags in the order they were set. Keys keep the case they were given and differ by more than case.
package struct IdentityTags: Sendable, Hashable {
    package static let maximumTags = 50
    package static let none = IdentityTags(list: [])

    package private(set) var list: [IdentityTag]

    private init(list: [IdentityTag]) { self.list = list }

    /// Throws `invalidInput` for a key that occurs twice and `limitExceeded` for too many.
    package init(_ tags: [IdentityTag]) throws(AccountsError) {
        guard Set(tags.map { Self.folded($0.key) }).count == tags.count else {
            throw AccountsError(.invalidInput, "Duplicate tag keys found. Please note that Tag keys are case insensitive.")
        }
        try Self.check(count: tags.count)
        list = tags
    }

    package var isEmpty: Bool { list.isEmpty }

    package subscript(key: String) -> String? { list.first { Self.folded($0.key) == Self.folded(key) }?.value }

    /// These tags with `others` in place of those of the same keys.
    package func overridden(by others: IdentityTags) -> IdentityTags {
        IdentityTags(list: removing(others.list.map(\.key)).list + others.list)
    }

    /// The same for tags that are stored, where there may not be more than `maximumTags`.
    package func setting(_ others: IdentityTags) throws(AccountsError) -> IdentityTags {
        let merged = overridden(by: others)
        try Self.check(count: merged.list.count)
        return merged
    }

    package func removing(_ keys: [String]) -> IdentityTags {
        let gone = Set(keys.map(Self.folded))
        return IdentityTags(list: list.filter { !gone.contains(Self.folded($0.key)) })
    }

    /// Those with one of the keys.
    package func selecting(_ keys: [String]) -> IdentityTags {
        let wanted = Set(keys.map(Self.folded))
        return IdentityTags(list: list.filter { wanted.contains(Self.folded($0.key)) })
    }

    /// How keys are compared.
    package static func folded(_ key: String) -> String { key.lowercased() }

    private static func check(count: Int) throws(AccountsError) {
        guard count <= maximumTags else { throw AccountsError(.limitExceeded, "There may be \(maximumTags) tags at most.") }
    }
}

extension IdentityTags {
    /// As it lies in the database.
    var json: String {
        JSONValue.array(list.map { ["Key": .string($0.key), "Value": .string($0.value)] }).serializedString
    }

    init(json text: String) throws {
        list = try (JSONValue.parse(Array(text.utf8)).arrayValue ?? []).map {
            IdentityTag(stored: $0["Key"]?.stringValue ?? "", $0["Value"]?.stringValue ?? "")
        }
    }
}
