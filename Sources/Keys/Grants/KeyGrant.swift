package import AWSProtocol
package import Policies

package import struct FoundationEssentials.Date

/// A grant as it is kept.
package struct KeyGrant: Sendable, Equatable {
    /// 64 hexadecimal digits.
    package var id: String
    package var keyARN: ARN
    package var name: String?
    package var createdAt: Date
    package var grantee: String
    /// Unique id of the grantee's user or role when the grant was made; nil for an account.
    package var granteeID: String?
    package var retiring: String?
    package var retiringID: String?
    package var issuingAccount: String
    /// The user or role that made it: its ARN, without a session's name, and its unique id.
    package var creator: String
    package var creatorID: String
    package var operations: [GrantOperation]
    package var constraints: Grant.Constraints

    package init(
        id: String, keyARN: ARN, name: String? = nil, createdAt: Date, grantee: String, granteeID: String? = nil,
        retiring: String? = nil, retiringID: String? = nil, issuingAccount: String, creator: String, creatorID: String,
        operations: [GrantOperation], constraints: Grant.Constraints = .none
    ) {
        self.id = id
        self.keyARN = keyARN
        self.name = name
        self.createdAt = createdAt
        self.grantee = grantee
        self.granteeID = granteeID
        self.retiring = retiring
        self.retiringID = retiringID
        self.issuingAccount = issuingAccount
        self.creator = creator
        self.creatorID = creatorID
        self.operations = operations
        self.constraints = constraints
    }

    package static func newID() -> String { Hex.encode(randomBytes(32)) }

    /// The grant as the evaluation of policies sees it.
    func policyGrant() throws(KeyError) -> Grant {
        Grant(
            id: id, grantee: try GrantRequest.pattern(grantee), operations: Set(operations.map(\.rawValue)),
            constraints: constraints)
    }

    package static func == (a: KeyGrant, b: KeyGrant) -> Bool { a.id == b.id && a.createdAt == b.createdAt }
}
