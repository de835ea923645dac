import AWSProtocol
import Catalog
import Pipelines
import TimeSeries

/// `Schema` of a dataset, checked by the rules of its domain.
struct SchemaInput: Sendable {
    let attributes: [ImportDocument.Attribute]

    init(_ input: JSONObject) throws {
        let members = try input.requiredObject("Schema").requiredObjects("Attributes", count: 1...100)
        attributes = try members.map { member in
            ImportDocument.Attribute(
                name: try member.requiredString("AttributeName", .name),
                type: try member.requiredEnum("AttributeType", as: AttributeType.self).rawValue)
        }
    }

    /// The schema of a stored dataset.
    init(stored resource: Resource) throws { try self.init(resource.request) }

    var request: JSONValue {
        ["Attributes": .array(attributes.map { ["AttributeName": .string($0.name), "AttributeType": .string($0.type)] })]
    }

    @discardableResult
    func check(domain: Domain, type: DatasetType) throws -> DatasetLayout {
        do {
            let schema = try Schema(
                attributes: attributes.map { attribute in
                    .init(name: attribute.name, type: AttributeType(rawValue: attribute.type) ?? .string)
                })
            return try DatasetLayout(domain: domain, type: type, schema: schema)
        } catch {
            throw AWSError.invalidInput("Schema: \(error.message)")
        }
    }
}

/// Frequencies: legal values of each unit (forecast.md §9).
enum FrequencyInput {
    @discardableResult
    static func check(_ text: String, member: String) throws -> Frequency {
        do {
            return try Frequency(parsing: text)
        } catch {
            throw AWSError.invalidInput("\(member): \(error.message)")
        }
    }
}
