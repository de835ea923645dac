import Testing
import TimeSeries

@Suite struct SchemaTests {
    typealias Attribute = Schema.Attribute

    static func layout(_ domain: Domain, _ type: DatasetType, _ attributes: [(String, AttributeType)]) throws -> DatasetLayout {
        try DatasetLayout(
            domain: domain, type: type, schema: Schema(attributes: attributes.map { Attribute(name: $0.0, type: $0.1) }))
    }

    static func message(_ body: () throws -> Void) -> String? {
        do {
            try body()
            return nil
        } catch let error as TimeSeriesError {
            return error.message
        } catch {
            return "another error"
        }
    }

    @Test(arguments: Domain.allCases) func eachDomainTakesItsRequiredColumns(_ domain: Domain) throws {
        let layout = try Self.layout(
            domain, .targetTimeSeries,
            [(domain.targetName, .float), ("place", .string), ("timestamp", .timestamp), (domain.itemName, .string)])
        #expect(layout.targetColumn == 0)
        #expect(layout.dimensionColumns == [1])
        #expect(layout.timestampColumn == 2)
        #expect(layout.itemColumn == 3)
        #expect(layout.keyNames == [domain.itemName, "place"])
    }

    @Test(arguments: Domain.allCases) func aMissingRequiredColumnIsNamed(_ domain: Domain) {
        let names: [(String, AttributeType)] = [
            (domain.itemName, .string), ("timestamp", .timestamp), (domain.targetName, .integer),
        ]
        for missing in names.indices {
            var rest = names
            let removed = rest.remove(at: missing)
            let message = Self.message { _ = try Self.layout(domain, .targetTimeSeries, rest) }
            #expect(message?.contains("'\(removed.0)' is required") == true)
        }
    }

    @Test func aWrongTypeIsNamed() {
        let cases: [([(String, AttributeType)], String)] = [
            ([("item_id", .float), ("timestamp", .timestamp), ("target_value", .float)], "'item_id' must have type string"),
            ([("item_id", .string), ("timestamp", .string), ("target_value", .float)], "'timestamp' must have type timestamp"),
            (
                [("item_id", .string), ("timestamp", .timestamp), ("target_value", .string)],
                "'target_value' must have type integer or float"
            ),
            (
                [("item_id", .string), ("timestamp", .timestamp), ("target_value", .float), ("price", .float)],
                "'price' is a dimension and must have type string"
            ),
            ([("item_id", .string), ("timestamp", .timestamp), ("target_value", .float), ("Item_ID", .string)], "named twice"),
            ([("item_id", .string), ("timestamp", .timestamp), ("target_value", .float), ("select", .string)], "reserved"),
            ([("item_id", .string), ("timestamp", .timestamp), ("target_value", .float), ("a-b", .string)], "attribute 4"),
            ([("item_id", .string), ("timestamp", .timestamp), ("target_value", .float), ("", .string)], "attribute 4"),
        ]
        for (attributes, expected) in cases {
            let message = Self.message { _ = try Self.layout(.custom, .targetTimeSeries, attributes) }
            #expect(message?.contains(expected) == true, "\(expected)")
        }
    }

    @Test func columnCapsHoldAtTheirLimits() throws {
        let required: [(String, AttributeType)] = [("item_id", .string), ("timestamp", .timestamp), ("target_value", .float)]
        func dimensions(_ count: Int) -> [(String, AttributeType)] { (0..<count).map { ("dimension_\($0)", .string) } }
        #expect(throws: Never.self) { try Self.layout(.custom, .targetTimeSeries, required + dimensions(9)) }
        #expect(throws: Never.self) { try Self.layout(.custom, .targetTimeSeries, required + dimensions(10)) }
        #expect(throws: TimeSeriesError.self) { try Self.layout(.custom, .targetTimeSeries, required + dimensions(11)) }
    }

    @Test func relatedAndMetadataSchemasAreRead() throws {
        let related = try Self.layout(
            .retail, .relatedTimeSeries,
            [("item_id", .string), ("timestamp", .timestamp), ("price", .float), ("location", .geolocation)])
        #expect(related.featureColumns == [2])
        #expect(related.dimensionColumns == [3])
        #expect(related.targetColumn == nil)
        let metadata = try Self.layout(.retail, .itemMetadata, [("item_id", .string), ("category", .string)])
        #expect(metadata.featureColumns == [1])
        let withTarget = Self.message {
            _ = try Self.layout(
                .retail, .relatedTimeSeries, [("item_id", .string), ("timestamp", .timestamp), ("demand", .float)])
        }
        #expect(withTarget?.contains("'demand'") == true)
        let noMetadata = Self.message { _ = try Self.layout(.ec2Capacity, .itemMetadata, [("instance_type", .string)]) }
        #expect(noMetadata?.contains("EC2_CAPACITY") == true)
    }

    @Test func nameLengthHoldsAtItsLimit() {
        for (length, isLegal) in [(62, true), (63, true), (64, false)] {
            let message = Self.message {
                _ = try Schema(attributes: [Attribute(name: String(repeating: "a", count: length), type: .string)])
            }
            #expect((message == nil) == isLegal)
        }
    }
}
