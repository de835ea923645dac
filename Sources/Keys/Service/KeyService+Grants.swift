import AWSProtocol
import Accounts
import AuditTrail
import Policies
import Postgres

package struct CreatedGrant: Sendable {
    package let id: String
    package let token: String
}

extension KeyService {
    /// Makes a grant, or finds the one of the same Name and the same parameters.
    ///
    /// Whoever may do it only through a grant can hand on no more than that grant: operations must be a subset, constraints at
    /// least as strict.
    package func createGrant(
        _ call: KeyCall, key reference: KeyReference, _ request: GrantRequest, grantTokens: [String], isDryRun: Bool
    ) async throws(KeyError) -> CreatedGrant {
        let id = try await change(call) { connection in
            for token in grantTokens { _ = try self.tokens.grantID(of: token) }
            // Locked: a grant must not slip in behind a deletion, and the count must hold.
            var input = DecisionInput(lock: .update)
            input.context = Self.grantConditions(request)
            let decided = try await self.decide(call, reference, input, on: connection)
            if let parent = try decided.grant?.policyGrant() {
                guard parent.permits(childOperations: Set(request.operations.map(\.rawValue)), constraints: request.constraints)
                else {
                    throw KeyError(.accessDenied, "A grant cannot hand on more than the grant that allows it.")
                }
            }
            let id = try await self.store(request, for: call, on: decided.key, connection, isDryRun: isDryRun)
            call.note { $0.responseElements = ["grantId": .string(id)] }
            return id
        }
        return CreatedGrant(id: id, token: tokens.issue(for: id))
    }

    private func store(
        _ request: GrantRequest, for call: KeyCall, on key: KeyRow, _ connection: PostgresConnection, isDryRun: Bool
    ) async throws -> String {
        let caller = call.caller
        let granteeID = try await uniqueID(of: request.grantee, on: connection)
        let retiringID: String? =
            if let retiring = request.retiring { try await uniqueID(of: retiring, on: connection) } else { nil }
        let fingerprint = request.fingerprint(keyID: key.keyID, issuingAccount: caller.account)
        if let name = request.name,
            let id = try await GrantRows.named(name, fingerprint: fingerprint, keyID: key.keyID, on: connection)
        {
            if isDryRun { throw KeyError.dryRun }
            return id
        }
        guard try await GrantRows.count(keyID: key.keyID, on: connection) < limits.grantsPerKey else {
            throw KeyError(.limitExceeded, "The key has \(limits.grantsPerKey) grants, which is the most there may be.")
        }
        if isDryRun { throw KeyError.dryRun }
        let grant = KeyGrant(
            id: KeyGrant.newID(), keyARN: key.arn, name: request.name, createdAt: call.time, grantee: request.grantee,
            granteeID: granteeID, retiring: request.retiring, retiringID: retiringID, issuingAccount: caller.account,
            creator: caller.principalARN, creatorID: caller.principalID, operations: request.operations,
            constraints: request.constraints)
        try await GrantRows.insert(grant, keyID: key.keyID, fingerprint: fingerprint, on: connection)
        return grant.id
    }

    /// Unique id of a user or role, also of the role behind a session; nil for an account. Refuses who does not exist.
    private func uniqueID(of principal: String, on connection: PostgresConnection) async throws -> String? {
        switch try await accounts.look(up: GrantRequest.pattern(principal), on: connection) {
        case .identity(let id): return id
        case .account: return nil
        case .missing, .unchecked: throw KeyError(.invalidArn, "ARN does not refer to a valid principal: \(principal)")
        }
    }

    private static func grantConditions(_ request: GrantRequest) -> ConditionContext {
        var context = ConditionContext()
        context["kms:GrantOperations"] = request.operations.map(\.rawValue)
        context.set("kms:GranteePrincipal", request.grantee)
        if let retiring = request.retiring { context.set("kms:RetiringPrincipal", retiring) }
        if let pairs = request.constraints.equals {
            context.set("kms:GrantConstraintType", "EncryptionContextEquals")
            context.setEncryptionContext(pairs)
        } else if let pairs = request.constraints.subset {
            context.set("kms:GrantConstraintType", "EncryptionContextSubset")
            context.setEncryptionContext(pairs)
        }
        return context
    }

    /// Grants on a key, narrowed to one grant or one grantee.
    package func listGrants(
        _ call: KeyCall, key reference: KeyReference, grantID: String?, grantee: String?, limit: Int, marker: String?
    ) async throws(KeyError) -> ListPage<KeyGrant> {
        try await read(call) { connection in
            let key = try await self.decide(call, reference, on: connection).key
            let parameters = ["ListGrants", key.keyID, grantID ?? "", grantee ?? ""]
            let after = try ListMarker.read(marker, parameters: parameters)
            let grants = try await GrantRows.list(
                keyID: key.keyID, grantID: grantID, grantee: grantee, after: after, limit: limit + 1, on: connection)
            return ListPage(found: grants, limit: limit, parameters: parameters) { $0.id }
        }
    }

    /// Grants on any key that a principal of the caller's own account may retire. The caller's own policies decide; the
    /// resource is that principal.
    package func listRetirableGrants(
        _ call: KeyCall, retiring: String, limit: Int, marker: String?
    ) async throws(KeyError) -> ListPage<KeyGrant> {
        try await read(call) { connection in
            _ = try GrantRequest.pattern(retiring)
            try await self.decideByIdentity(call, resource: retiring, on: connection)
            let parameters = ["ListRetirableGrants", call.caller.account, retiring]
            let after = try ListMarker.read(marker, parameters: parameters)
            let grants = try await GrantRows.list(retiring: retiring, after: after, limit: limit + 1, on: connection)
            return ListPage(found: grants, limit: limit, parameters: parameters) { $0.id }
        }
    }
}
