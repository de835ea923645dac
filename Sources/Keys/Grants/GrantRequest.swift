import AWSProtocol
import Crypto
package import Policies

/// What CreateGrant asks for, within the bounds of the model and of KMS's rules.
///
/// Source: KMS API reference, CreateGrant; developer guide, "Grants in AWS KMS".
package struct GrantRequest: Sendable, Equatable {
    package static let maximumPairs = 8
    /// Of each key and each value.
    package static let maximumPairCharacters = 384
    package static let principalCharacters = 1...256
    package static let sourceARNCharacters = 20...512

    /// An ARN, or the name of a service.
    package var grantee: String
    package var retiring: String?
    package var operations: [GrantOperation]
    package var constraints: Grant.Constraints
    /// The resource that the request must be made for, by a service.
    package var sourceARN: String?
    package var name: String?

    /// - Parameters:
    ///   - grantee: an ARN; either this or `granteeService`.
    ///   - granteeService: the name of a service. The grant then needs `sourceARN` and somebody who may retire it.
    ///   - retiring: an ARN; not together with `retiringService`.
    package init(
        grantee: String? = nil, granteeService: String? = nil, retiring: String? = nil, retiringService: String? = nil,
        operations: [GrantOperation], constraints: Grant.Constraints = .none, sourceARN: String? = nil, name: String? = nil
    ) throws(KeyError) {
        guard !operations.isEmpty else {
            throw KeyError(.validation, "A grant must allow at least one operation.")
        }
        for operation in operations where !operation.fitsSymmetricKey {
            throw KeyError(.validation, "Operation \(operation.rawValue) is not supported by this type of KMS key.")
        }
        for pairs in [constraints.equals, constraints.subset] {
            if let pairs { try Self.check(pairs) }
        }
        guard constraints.equals == nil || constraints.subset == nil else {
            throw KeyError(
                .validation, "A grant has either an EncryptionContextEquals or an EncryptionContextSubset constraint.")
        }
        // An empty set would be no constraint at all, and whoever gave it meant one.
        guard constraints.equals?.isEmpty != true, constraints.subset?.isEmpty != true else {
            throw KeyError(
                .validation,
                "A constraint of a grant needs at least one pair; leave out Constraints for a grant without one.")
        }
        self.grantee = try Self.grantee(grantee, granteeService)
        self.retiring = try Self.retiring(retiring, retiringService)
        if granteeService != nil, sourceARN == nil || self.retiring == nil {
            throw KeyError(
                .validation,
                "A grant to a GranteeServicePrincipal needs a SourceArn constraint and a RetiringPrincipal or "
                    + "RetiringServicePrincipal.")
        }
        self.sourceARN = sourceARN
        // A set in any order; sorted, so that equal requests have equal fingerprints.
        self.operations = Set(operations).sorted { $0.rawValue < $1.rawValue }
        self.constraints = constraints
        self.name = name
    }

    private static func grantee(_ principal: String?, _ service: String?) throws(KeyError) -> String {
        switch (principal, service) {
        case (let principal?, nil):
            _ = try pattern(principal)
            return principal
        case (nil, let service?):
            guard ServicePrincipalName.isValid(service) else { throw ServicePrincipalName.invalid("GranteeServicePrincipal") }
            return service
        case (nil, nil), (.some, .some):
            throw KeyError(.validation, "Specify either GranteePrincipal or GranteeServicePrincipal, but not both.")
        }
    }

    private static func retiring(_ principal: String?, _ service: String?) throws(KeyError) -> String? {
        switch (principal, service) {
        case (let principal?, nil):
            _ = try pattern(principal)
            return principal
        case (nil, let service?):
            guard ServicePrincipalName.isValid(service) else { throw ServicePrincipalName.invalid("RetiringServicePrincipal") }
            return service
        case (nil, nil):
            return nil
        case (.some, .some):
            throw KeyError(.validation, "Specify either RetiringPrincipal or RetiringServicePrincipal, but not both.")
        }
    }

    /// The account, user, role or session that a principal's ARN names. `*`, services and groups are refused, as by KMS.
    static func pattern(_ text: String) throws(KeyError) -> PrincipalPattern {
        guard principalCharacters.contains(text.count), text.hasPrefix("arn:"),
            let pattern = try? PrincipalPattern(aws: text)
        else {
            throw KeyError(.invalidArn, "ARN does not refer to a valid principal")
        }
        return pattern
    }

    private static func check(_ pairs: [String: String]) throws(KeyError) {
        guard pairs.count <= maximumPairs else {
            throw KeyError(.validation, "A grant constraint has at most \(maximumPairs) encryption context pairs.")
        }
        for (key, value) in pairs where key.isEmpty || key.count > maximumPairCharacters || value.count > maximumPairCharacters {
            throw KeyError(
                .validation, "Keys and values of a grant constraint have at most \(maximumPairCharacters) characters.")
        }
        // Keys of constraints are compared without regard to case: two that differ in nothing else could not both be told apart.
        guard Set(pairs.keys.map { $0.lowercased() }).count == pairs.count else {
            throw KeyError(.validation, "Keys of a grant constraint must differ in more than case.")
        }
    }

    /// SHA-256 over every parameter, each with its length: equal for equal requests alone.
    func fingerprint(keyID: String, issuingAccount: String) -> [UInt8] {
        var hash = SHA256()
        func add(_ part: String?) {
            guard let part else {
                hash.update(data: [0] as [UInt8])
                return
            }
            hash.update(data: [1] as [UInt8])
            withUnsafeBytes(of: UInt64(part.utf8.count).bigEndian) { hash.update(bufferPointer: $0) }
            hash.update(data: Array(part.utf8))
        }
        for part in [keyID, issuingAccount, grantee, retiring, name] { add(part) }
        add(operations.map(\.rawValue).joined(separator: ","))
        // Only where there is one: fingerprints of grants from before stay what they are.
        if let sourceARN { add(sourceARN) }
        for pairs in [constraints.equals, constraints.subset] {
            add(pairs.map { JSONValue.stringMap($0).serializedString })
        }
        return Array(hash.finalize())
    }
}
