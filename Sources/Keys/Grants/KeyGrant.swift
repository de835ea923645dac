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
    /// An ARN, or the name of a service.
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
    /// The resource that a request must be made for, by a service; nil where it may be any or none.
    package var sourceARN: String?

    package init(
        id: String, keyARN: ARN, name: String? = nil, createdAt: Date, grantee: String, granteeID: String? = nil,
        retiring: String? = nil, retiringID: String? = nil, issuingAccount: String, creator: String, creatorID: String,
        operations: [GrantOperation], constraints: Grant.Constraints = .none, sourceARN: String? = nil
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
        self.sourceARN = sourceARN
    }

    package static func newID() -> String { Hex.encode(randomBytes(32)) }

    package var isForService: Bool { ServicePrincipalName.isValid(grantee) }
    package var isRetiredByService: Bool { retiring.map(ServicePrincipalName.isValid) ?? false }

    /// Whether a grant that names the caller is still meant for it, and for the resource that the caller acts for.
    func applies(to caller: KeyCaller, _ operation: KeyOperation) -> Bool {
        guard granteeID == nil || granteeID == caller.principalID else { return false }
        return sourceARN == nil || operation == .retireGrant || sourceARN == caller.sourceARN
    }

    /// The grant as the evaluation of policies sees it. One to a service counts as one to the caller, who was found to act as
    /// that service.
    func policyGrant(for caller: KeyCaller) throws(KeyError) -> Grant {
        Grant(
            id: id, grantee: isForService ? .arn(caller.subject.name) : try GrantRequest.pattern(grantee),
            operations: Set(operations.map(\.rawValue)), constraints: constraints)
    }

    /// Whether the grantee may make this grant through this one: no more operations, constraints at least as strict, for the same
    /// resource.
    func permits(_ child: GrantRequest, by caller: KeyCaller) throws(KeyError) -> Bool {
        guard sourceARN == nil || child.sourceARN == sourceARN else { return false }
        return try policyGrant(for: caller).permits(
            childOperations: Set(child.operations.map(\.rawValue)), constraints: child.constraints)
    }

    package static func == (a: KeyGrant, b: KeyGrant) -> Bool { a.id == b.id && a.createdAt == b.createdAt }
}
