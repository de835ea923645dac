import AWSProtocol
package import Secrets

package import struct FoundationEssentials.Date

/// A data key as KMS made it.
package struct KMSDataKey: Sendable {
    package let plaintext: SharedSecret
    package let ciphertext: [UInt8]
    package let keyARN: String

    package init(plaintext: SharedSecret, ciphertext: [UInt8], keyARN: String) {
        self.plaintext = plaintext
        self.ciphertext = ciphertext
        self.keyARN = keyARN
    }
}

/// What DescribeKey says of a key.
package struct KMSKeyDescription: Sendable {
    package let keyID: String
    package let arn: String
    package let account: String
    /// `Enabled`, `Disabled`, `PendingDeletion`, …
    package let keyState: String
    /// `SYMMETRIC_DEFAULT`, …
    package let keySpec: String
    /// `ENCRYPT_DECRYPT`, …
    package let keyUsage: String

    package var isEnabled: Bool { keyState == "Enabled" }
    /// Whether data keys can be made under it.
    package var isSymmetric: Bool { keySpec == "SYMMETRIC_DEFAULT" && keyUsage == "ENCRYPT_DECRYPT" }

    init(json: JSONObject) throws(AWSError) {
        keyID = try json.requiredString("KeyId")
        arn = try json.requiredString("Arn")
        account = try json.optionalString("AWSAccountId") ?? ARN(arn)?.account ?? ""
        keyState = try json.requiredString("KeyState")
        let oldName = try json.optionalString("CustomerMasterKeySpec")
        keySpec = try json.optionalString("KeySpec") ?? oldName ?? ""
        keyUsage = try json.optionalString("KeyUsage") ?? ""
    }
}

/// A grant to make. The same request with the same `name` gives the same grant again.
package struct CreateGrantRequest: Sendable {
    package var keyID: String
    package var granteePrincipal: String
    package var retiringPrincipal: String?
    package var operations: [String]
    /// Every call under the grant must have at least these pairs in its encryption context.
    package var contextSubset: [String: String]
    package var name: String?
    package var grantTokens: [String]

    package init(
        keyID: String, granteePrincipal: String, retiringPrincipal: String? = nil, operations: [String],
        contextSubset: [String: String] = [:], name: String? = nil, grantTokens: [String] = []
    ) {
        self.keyID = keyID
        self.granteePrincipal = granteePrincipal
        self.retiringPrincipal = retiringPrincipal
        self.operations = operations
        self.contextSubset = contextSubset
        self.name = name
        self.grantTokens = grantTokens
    }

    var json: JSONObject {
        var json: JSONObject = [
            "KeyId": .string(keyID), "GranteePrincipal": .string(granteePrincipal), "Operations": .strings(operations),
        ]
        json.append("RetiringPrincipal", ifPresent: retiringPrincipal.map { .string($0) })
        if !contextSubset.isEmpty { json["Constraints"] = ["EncryptionContextSubset": .stringMap(contextSubset)] }
        json.append("Name", ifPresent: name.map { .string($0) })
        if !grantTokens.isEmpty { json["GrantTokens"] = .strings(grantTokens) }
        return json
    }
}

package struct CreatedGrant: Sendable, Equatable {
    package let grantID: String
    /// Makes the grant count before every server knows it.
    package let grantToken: String

    package init(grantID: String, grantToken: String) {
        self.grantID = grantID
        self.grantToken = grantToken
    }
}

/// A grant as the lists have it.
package struct KMSGrant: Sendable {
    package let keyID: String
    package let grantID: String
    /// Nil where none was given, or an empty one.
    package let name: String?
    package let granteePrincipal: String
    package let retiringPrincipal: String?
    package let issuingAccount: String
    package let operations: [String]
    package let contextSubset: [String: String]
    package let createdAt: Date?

    init(json: JSONObject) throws(AWSError) {
        keyID = try json.requiredString("KeyId")
        grantID = try json.requiredString("GrantId")
        let name = try json.optionalString("Name") ?? ""
        self.name = name.isEmpty ? nil : name
        granteePrincipal = try json.optionalString("GranteePrincipal") ?? ""
        retiringPrincipal = try json.optionalString("RetiringPrincipal")
        issuingAccount = try json.optionalString("IssuingAccount") ?? ""
        operations = try json.optionalStrings("Operations") ?? []
        contextSubset = try json.optionalObject("Constraints")?.optionalStringMap("EncryptionContextSubset") ?? [:]
        createdAt = try json.optionalTimestamp("CreationDate")
    }
}

package struct KMSGrantPage: Sendable {
    package let grants: [KMSGrant]
    /// Where the next page begins; nil on the last.
    package let nextMarker: String?

    init(json: JSONObject) throws(AWSError) {
        var grants: [KMSGrant] = []
        for grant in try json.requiredObjects("Grants") { grants.append(try KMSGrant(json: grant)) }
        self.grants = grants
        nextMarker = try json.optionalBool("Truncated") == true ? json.requiredString("NextMarker") : nil
    }
}
