package import AWSProtocol

extension PolicyDocument {
    /// Reads a document from its JSON text.
    ///
    /// Strict: unknown or repeated elements, elements that the kind must not have, and values that no request could ever be compared with
    /// (a date that is none) are refused, because a statement that silently matches nothing is a rule its author believes in.
    package static func parse(_ text: String, kind: Kind) throws(PolicyError) -> PolicyDocument {
        try checkCharacters(of: text, kind: kind)
        let value: JSONValue
        do {
            value = try JSONValue.parse(Array(text.utf8), limits: limits)
        } catch {
            throw .malformed("The policy is not valid JSON: \(error.message) at byte \(error.offset).")
        }
        return try parse(value, kind: kind)
    }

    package static func parse(_ value: JSONValue, kind: Kind) throws(PolicyError) -> PolicyDocument {
        guard let object = value.objectValue else { throw .malformed("The policy must be a JSON object.") }
        let known: Set<String> = kind.hasPrincipals ? ["Version", "Id", "Statement"] : ["Version", "Statement"]
        if let unknown = object.keys.first(where: { !known.contains($0) }) {
            throw .malformed("The policy has an unknown element: \(shown(unknown)).")
        }
        if let id = object["Id"], id.stringValue == nil { throw .malformed("Id must be a string.") }
        let variables: Bool
        switch object["Version"] {
        case nil, .string("2008-10-17"): variables = false
        case .string("2012-10-17"): variables = true
        default: throw .malformed("Version must be 2012-10-17 or 2008-10-17.")
        }
        let members: [JSONValue]
        switch object["Statement"] {
        case .array(let list) where !list.isEmpty: members = list
        case .object(let single): members = [.object(single)]
        default: throw .malformed("The policy must have a Statement.")
        }
        guard members.count <= maximumStatements else {
            throw .malformed("The policy has more than \(maximumStatements) statements.")
        }
        var statements: [PolicyStatement] = []
        for (index, member) in members.enumerated() {
            guard let statement = member.objectValue else {
                throw .malformed("Statement \(index + 1) must be a JSON object.")
            }
            let parser = StatementParser(statement, number: index + 1, kind: kind, variables: variables)
            statements.append(try parser.parse())
        }
        return PolicyDocument(kind: kind, statements: statements)
    }

    /// Entries of JSON in a document: the longest one of all kinds has 32,768 characters.
    private static var limits: JSONLimits {
        var limits = JSONLimits.default
        limits.entries = 10_000
        return limits
    }

    private static func checkCharacters(of text: String, kind: Kind) throws(PolicyError) {
        var count = 0
        for scalar in text.unicodeScalars {
            switch scalar.value {
            case 0x09, 0x0A, 0x0D, 0x20: if kind.countsWhitespace { count += 1 }
            case 0x21...0xFF: count += 1
            default: throw .malformed("The policy holds a character outside U+0020 to U+00FF.")
            }
        }
        guard count <= kind.maximumCharacters else {
            throw PolicyError(
                code: .tooLarge, message: "The policy is longer than \(kind.maximumCharacters) characters.")
        }
    }

    /// A member's name as an error message may repeat it.
    static func shown(_ name: String) -> String { String(name.prefix(64)) }
}
