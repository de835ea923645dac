package import AWSProtocol
package import FoundationEssentials

/// One resource of the Forecast API as PostgreSQL holds it.
package struct Resource: Sendable {
    /// Where an artifact's manifest lies and what it must be.
    package struct Manifest: Sendable, Hashable {
        package var objectName: String
        /// SHA-256 of the manifest's message, 32 bytes.
        package var digest: [UInt8]
        package var generation: Int64

        package init(objectName: String, digest: [UInt8], generation: Int64) {
            self.objectName = objectName
            self.digest = digest
            self.generation = generation
        }
    }

    /// A customer's key and the role that reaches it.
    package struct Encryption: Sendable, Hashable {
        package var keyARN: String
        package var roleARN: String

        package init(keyARN: String, roleARN: String) {
            self.keyARN = keyARN
            self.roleARN = roleARN
        }
    }

    package var arn: String
    package var account: String
    package var type: ResourceType
    package var name: String
    package var incarnation: UUID
    package var status: ResourceStatus
    package var message: String?
    package var parentARN: String?
    package var request: JSONObject
    package var attributes: JSONObject
    /// Nil where the account's default key is used.
    package var encryption: Encryption?
    package var manifest: Manifest?
    package var job: UUID?
    package var createdAt: Date
    package var modifiedAt: Date

    package init(
        arn: String, account: String, type: ResourceType, name: String, incarnation: UUID, status: ResourceStatus,
        parentARN: String? = nil, request: JSONObject, attributes: JSONObject = [:], encryption: Encryption? = nil,
        job: UUID? = nil
    ) {
        self.arn = arn
        self.account = account
        self.type = type
        self.name = name
        self.incarnation = incarnation
        self.status = status
        self.parentARN = parentARN
        self.request = request
        self.attributes = attributes
        self.encryption = encryption
        self.job = job
        // The database's clock sets both when the row is inserted.
        createdAt = Date(timeIntervalSince1970: 0)
        modifiedAt = createdAt
    }
}
