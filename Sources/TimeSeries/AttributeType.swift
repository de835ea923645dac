/// The type of an attribute of a schema. Source: Amazon Forecast, SchemaAttribute.
package enum AttributeType: String, Sendable, Hashable, CaseIterable {
    case string, integer, float, timestamp, geolocation

    package var isNumeric: Bool { self == .integer || self == .float }
    /// Held as text: item ids, dimensions, categories, places.
    package var isText: Bool { self == .string || self == .geolocation }
}
