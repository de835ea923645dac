/// The attributes of a dataset, in the order of the CSV columns.
///
/// Bounds: 1–100 attributes; names of 1–63 characters `[a-zA-Z][a-zA-Z0-9_]*`, unique without regard to case, not reserved.
package struct Schema: Sendable, Hashable {
    package struct Attribute: Sendable, Hashable {
        package let name: String
        package let type: AttributeType
        package init(name: String, type: AttributeType) {
            self.name = name
            self.type = type
        }
    }

    package static let attributeLimit = 100
    package static let nameBytesLimit = 63

    package let attributes: [Attribute]

    /// Throws `invalidSchema` naming the first attribute that breaks a rule.
    package init(attributes: [Attribute]) throws(TimeSeriesError) {
        guard !attributes.isEmpty else { throw .invalidSchema("Schema must have at least one attribute") }
        guard attributes.count <= Self.attributeLimit else {
            throw .invalidSchema("Schema must have at most \(Self.attributeLimit) attributes")
        }
        var seen: Set<String> = []
        for (position, attribute) in attributes.enumerated() {
            guard Self.isName(attribute.name) else {
                throw .invalidSchema(
                    "Schema attribute \(position + 1): the name must start with a letter and hold 1 to \(Self.nameBytesLimit) letters, digits and underscores"
                )
            }
            guard seen.insert(attribute.name.lowercased()).inserted else {
                throw .invalidSchema("Schema attribute '\(attribute.name)' is named twice")
            }
            guard !ReservedNames.contains(attribute.name) else {
                throw .invalidSchema("Schema attribute '\(attribute.name)' has a reserved name")
            }
        }
        self.attributes = attributes
    }

    package func index(of name: String) -> Int? { attributes.firstIndex { $0.name == name } }

    private static func isName(_ name: String) -> Bool {
        let bytes = name.utf8
        guard (1...nameBytesLimit).contains(bytes.count), let first = bytes.first, isLetter(first) else { return false }
        return bytes.allSatisfy {
            isLetter($0) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) || $0 == UInt8(ascii: "_")
        }
    }

    private static func isLetter(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
    }
}
