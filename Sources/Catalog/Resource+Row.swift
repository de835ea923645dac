import AWSProtocol
import FoundationEssentials
import Postgres

extension Resource {
    /// The columns that `init(row:)` reads.
    static let columns = """
        arn, account, type, name, incarnation, status, message, parent_arn, request, attributes, key_arn, role_arn, \
        manifest_object, manifest_digest, manifest_generation, job, created_at, modified_at
        """

    init(row: PostgresRow) throws {
        let typeName = try row.get("type", as: String.self)
        let statusName = try row.get("status", as: String.self)
        guard let type = ResourceType(rawValue: typeName), let status = ResourceStatus(rawValue: statusName) else {
            throw CatalogError(.newerVersion, "A resource of a type or status that this version does not know.")
        }
        self.init(
            arn: try row.get("arn", as: String.self),
            account: try row.get("account", as: String.self),
            type: type,
            name: try row.get("name", as: String.self),
            incarnation: try row.get("incarnation", as: UUID.self),
            status: status,
            parentARN: try row.get("parent_arn", as: String?.self),
            request: try Self.object(try row.get("request", as: String.self)),
            attributes: try Self.object(try row.get("attributes", as: String.self)),
            job: try row.get("job", as: UUID?.self))
        message = try row.get("message", as: String?.self)
        if let keyARN = try row.get("key_arn", as: String?.self), let roleARN = try row.get("role_arn", as: String?.self) {
            encryption = Encryption(keyARN: keyARN, roleARN: roleARN)
        }
        if let objectName = try row.get("manifest_object", as: String?.self),
            let digest = try row.get("manifest_digest", as: [UInt8]?.self),
            let generation = try row.get("manifest_generation", as: Int64?.self)
        {
            manifest = Manifest(objectName: objectName, digest: digest, generation: generation)
        }
        createdAt = try row.get("created_at", as: Date.self)
        modifiedAt = try row.get("modified_at", as: Date.self)
    }

    /// Stored requests were bounded when they were accepted; a schema alone may have a few hundred entries.
    private static func object(_ text: String) throws -> JSONObject {
        guard case .object(let object) = try JSONValue.parse(text, limits: .response) else {
            throw CatalogError(.newerVersion, "A stored request is not an object.")
        }
        return object
    }
}
