import AWSProtocol
package import TimeSeries

/// Which series a query asks for: a value for the item id and, where given, for dimensions.
package struct SeriesFilter: Sendable {
    package let item: String
    private let keyNames: [String]
    private let fields: [(index: Int, value: String)]

    /// Throws InvalidInputException for an attribute that the series do not have, and without the item id.
    ///
    /// - Parameter keyNames: of the series' keys: the item id's, then the dimensions'.
    package init(_ filters: [String: String], keyNames: [String]) throws {
        guard let itemName = keyNames.first, let item = filters[itemName] else {
            throw Self.invalid("a value for \(keyNames.first ?? "the item id") is required.")
        }
        self.item = item
        self.keyNames = keyNames
        fields = try filters.sorted { $0.key < $1.key }.map { name, value in
            guard let index = keyNames.firstIndex(of: name) else {
                throw Self.invalid("\(name) is no attribute of the series; they have \(keyNames.joined(separator: ", ")).")
            }
            return (index, value)
        }
    }

    /// Values are compared by their bytes, as everywhere.
    package func matches(_ key: ItemKey) -> Bool {
        fields.allSatisfy { $0.index < key.fields.count && key.fields[$0.index].utf8.elementsEqual($0.value.utf8) }
    }

    /// The one record that fits. Throws ResourceNotFoundException where none does, InvalidInputException where several do.
    package func one(of found: [(key: ItemKey, payload: [UInt8])]) throws -> [UInt8] {
        guard let first = found.first else {
            throw AWSError(code: "ResourceNotFoundException", message: "No forecast found for the filters.")
        }
        guard found.count == 1 else {
            let missing = keyNames.indices.filter { index in !fields.contains { $0.index == index } }
            throw Self.invalid(
                "they fit several series; add a value for \(missing.map { keyNames[$0] }.joined(separator: ", ")).")
        }
        return first.payload
    }

    private static func invalid(_ rule: String) -> AWSError {
        AWSError(code: "InvalidInputException", message: "Filters: \(rule)")
    }
}
