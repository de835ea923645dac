/// A schema read in the light of its domain and dataset type: which column plays which part.
///
/// Source: Amazon Forecast developer guide, "Predefined Dataset Domains and Dataset Types". Throws `invalidSchema` naming the attribute.
package struct DatasetLayout: Sendable, Hashable {
    package let domain: Domain
    package let type: DatasetType
    package let schema: Schema
    /// The column of the item id.
    package let itemColumn: Int
    /// nil for item metadata.
    package let timestampColumn: Int?
    /// Target series only.
    package let targetColumn: Int?
    /// Text columns beside the item id that tell series apart, in schema order.
    package let dimensionColumns: [Int]
    /// Numbers of related series, categories of item metadata.
    package let featureColumns: [Int]

    package static let dimensionLimit = 10

    package init(domain: Domain, type: DatasetType, schema: Schema) throws(TimeSeriesError) {
        guard domain.allows(type) else {
            throw .invalidSchema("Domain \(domain.rawValue) has no dataset type \(type.rawValue)")
        }
        guard schema.attributes.count <= type.columnLimit else {
            throw .invalidSchema("A \(type.rawValue) dataset has at most \(type.columnLimit) attributes")
        }
        self.domain = domain
        self.type = type
        self.schema = schema
        itemColumn = try Self.require(domain.itemName, in: schema, domain, type, { $0 == .string }, "string")
        timestampColumn =
            type == .itemMetadata
            ? nil
            : try Self.require(Domain.timestampName, in: schema, domain, type, { $0 == .timestamp }, "timestamp")
        targetColumn =
            type == .targetTimeSeries
            ? try Self.require(domain.targetName, in: schema, domain, type, \.isNumeric, "integer or float") : nil
        var dimensions: [Int] = []
        var features: [Int] = []
        for (column, attribute) in schema.attributes.enumerated()
        where column != itemColumn && column != timestampColumn && column != targetColumn {
            if try Self.isDimension(attribute, of: domain, type) {
                dimensions.append(column)
            } else {
                features.append(column)
            }
        }
        guard dimensions.count <= Self.dimensionLimit else {
            throw .invalidSchema(
                "Schema attribute '\(schema.attributes[dimensions[Self.dimensionLimit]].name)' is dimension \(Self.dimensionLimit + 1); at most \(Self.dimensionLimit) are allowed"
            )
        }
        dimensionColumns = dimensions
        featureColumns = features
    }

    /// The names that make up an item's key: the item id, then the dimensions in schema order.
    package var keyNames: [String] { keyColumns.map { schema.attributes[$0].name } }
    package var keyColumns: [Int] { [itemColumn] + dimensionColumns }

    private static func require(
        _ name: String, in schema: Schema, _ domain: Domain, _ type: DatasetType,
        _ fits: (AttributeType) -> Bool, _ expected: String
    ) throws(TimeSeriesError) -> Int {
        guard let column = schema.index(of: name) else {
            throw .invalidSchema(
                "Schema attribute '\(name)' is required for domain \(domain.rawValue) and dataset type \(type.rawValue)")
        }
        guard fits(schema.attributes[column].type) else {
            throw .invalidSchema("Schema attribute '\(name)' must have type \(expected)")
        }
        return column
    }

    private static func isDimension(
        _ attribute: Schema.Attribute, of domain: Domain, _ type: DatasetType
    ) throws(TimeSeriesError) -> Bool {
        switch type {
        case .targetTimeSeries:
            guard attribute.type.isText else {
                throw .invalidSchema("Schema attribute '\(attribute.name)' is a dimension and must have type string")
            }
            return true
        case .relatedTimeSeries:
            guard attribute.name != domain.targetName else {
                throw .invalidSchema("Schema attribute '\(attribute.name)' is the target and has no place in a related dataset")
            }
            guard attribute.type != .timestamp else {
                throw .invalidSchema("Schema attribute '\(attribute.name)' must have type string, integer or float")
            }
            return attribute.type.isText
        case .itemMetadata:
            guard attribute.type == .string else {
                throw .invalidSchema("Schema attribute '\(attribute.name)' must have type string")
            }
            return false
        }
    }
}
