import AWSProtocol
import TimeSeries

/// Which series a query asks for: a value for the item id and, where given, for dimensions.
struct SeriesFilter: Sendable {
    let item: String
    private let fields: [(index: Int, value: String)]

    /// Throws InvalidInputException for an attribute that the series do not have, and without the item id.
    init(_ filters: [String: String], keyNames: [String]) throws {
        guard let itemName = keyNames.first, let item = filters[itemName] else {
            throw AWSError(
                code: "InvalidInputException", message: "Filters: a value for \(keyNames.first ?? "the item id") is required.")
        }
        self.item = item
        fields = try filters.map { name, value in
            guard let index = keyNames.firstIndex(of: name) else {
                throw AWSError(
                    code: "InvalidInputException",
                    message: "Filters: \(name) is no attribute of the series; they have \(keyNames.joined(separator: ", ")).")
            }
            return (index, value)
        }
    }

    func matches(_ key: ItemKey) -> Bool {
        fields.allSatisfy { $0.index < key.fields.count && key.fields[$0.index].utf8.elementsEqual($0.value.utf8) }
    }
}
