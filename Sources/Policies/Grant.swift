import AWSProtocol

/// A grant on a key as far as authorization looks at it: it allows, it never denies.
package struct Grant: Sendable, Hashable {
    /// What the encryption context of a request must be for the grant to apply.
    package struct Constraints: Sendable, Hashable {
        /// The context must have exactly these pairs.
        package var equals: [String: String]?
        /// The context must have these pairs and may have more.
        package var subset: [String: String]?

        package init(equals: [String: String]? = nil, subset: [String: String]? = nil) {
            self.equals = equals
            self.subset = subset
        }

        package static let none = Constraints()

        /// Whether the context satisfies both constraints. Keys are compared without regard to ASCII case, values exactly.
        package func admit(_ context: [String: String]) -> Bool {
            if let equals, context.count != equals.count || !Self.contains(context, equals) { return false }
            if let subset, !Self.contains(context, subset) { return false }
            return true
        }

        /// Whether `context` has every pair. Where it has a key in two spellings, both must carry the value.
        static func contains(_ context: [String: String], _ pairs: [String: String]) -> Bool {
            pairs.allSatisfy { key, value in
                let found = context.filter { $0.key.isEqualIgnoringASCIICase(to: key) }
                return !found.isEmpty && found.allSatisfy { sameBytes($0.value, value) }
            }
        }

        /// Whether these constraints are at least as strict as `parent`'s: pairs may be added, Subset may become Equals.
        package func isAtLeastAsStrict(as parent: Constraints) -> Bool {
            if let required = parent.equals {
                guard let equals, required.count == equals.count, Self.contains(equals, required) else { return false }
            }
            if let required = parent.subset {
                let own = [equals, subset].compactMap { $0 }
                guard own.contains(where: { Self.contains($0, required) }) else { return false }
            }
            return true
        }
    }

    package var id: String
    package var grantee: PrincipalPattern
    /// The unique id of the grantee's user or role when the grant was made, so that nobody of the same name inherits it; nil for
    /// an account.
    package var granteeID: String?
    /// Names without `kms:`, such as `GenerateDataKey`.
    package var operations: Set<String>
    package var constraints: Constraints

    package init(
        id: String, grantee: PrincipalPattern, granteeID: String? = nil, operations: Set<String>, constraints: Constraints
    ) {
        self.id = id
        self.grantee = grantee
        self.granteeID = granteeID
        self.operations = operations
        self.constraints = constraints
    }

    /// Operations whose requests have no encryption context to compare; a grant made through a grant is limited by
    /// `permits(childOperations:constraints:)` instead.
    private static let unconstrained: Set<String> = ["CreateGrant", "DescribeKey", "RetireGrant"]

    /// How closely the grant names the subject, `none` where it does not allow the operation in this context.
    func match(_ subject: PolicySubject, action: String, encryptionContext: [String: String]) -> PrincipalMatch {
        guard action.utf8.count > 4, action.prefix(4).lowercased() == "kms:" else { return .none }
        let operation = String(action.dropFirst(4))
        guard operations.contains(operation),
            Self.unconstrained.contains(operation) || constraints.admit(encryptionContext)
        else { return .none }
        if let granteeID, granteeID != subject.identityID { return .none }
        let match = grantee.match(subject)
        // A grant names one principal; `*` is not one.
        return match == .anyone ? .none : match
    }

    /// Whether the grantee may hand on these operations under these constraints (CreateGrant through a grant).
    package func permits(childOperations: Set<String>, constraints child: Constraints) -> Bool {
        childOperations.isSubset(of: operations) && child.isAtLeastAsStrict(as: constraints)
    }
}
