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
            if let parent = decided.grant, try !parent.permits(request, by: call.caller) {
                throw KeyError.widerThanItsGrant
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
            constraints: request.constraints, sourceARN: request.sourceARN)
        try await GrantRows.insert(grant, keyID: key.keyID, fingerprint: fingerprint, on: connection)
        return grant.id
    }

    /// Unique id of a user or role, also of the role behind a session; nil for an account and for a service. Refuses who does not
    /// exist; the one service that there is is this one.
    private func uniqueID(of principal: String, on connection: PostgresConnection) async throws -> String? {
        if ServicePrincipalName.isValid(principal) {
            guard principal == identity.servicePrincipal else {
                throw KeyError(.validation, "Nobody here acts as the service principal \(principal).")
            }
            return nil
        }
        switch try await accounts.look(up: GrantRequest.pattern(principal), on: connection) {
        case .identity(let id): return id
        case .account: return nil
        case .missing, .unchecked: throw KeyError(.invalidArn, "ARN does not refer to a valid principal: \(principal)")
        }
    }

    private static func grantConditions(_ request: GrantRequest) -> ConditionContext {
        var context = ConditionContext()
        context["kms:GrantOperations"] = request.operations.map(\.rawValue)
        func name(_ principal: String, _ kind: String) {
            context.set("kms:\(kind)\(ServicePrincipalName.isValid(principal) ? "Service" : "")Principal", principal)
        }
        name(request.grantee, "Grantee")
        if let retiring = request.retiring { name(retiring, "Retiring") }
        var types: [String] = []
        if let pairs = request.constraints.equals {
            types.append("EncryptionContextEquals")
            context.setEncryptionContext(pairs)
        } else if let pairs = request.constraints.subset {
            types.append("EncryptionContextSubset")
            context.setEncryptionContext(pairs)
        }
        if let sourceARN = request.sourceARN {
            types.append("SourceArn")
            context.set("kms:GrantConstraintSourceArn", sourceARN)
        }
        if !types.isEmpty { context["kms:GrantConstraintType"] = types }
        return context
    }

    /// Grants on a key, narrowed to one grant or one grantee: an ARN, or a service that the caller acts as.
    package func listGrants(
        _ call: KeyCall, key reference: KeyReference, grantID: String?, grantee: String?, limit: Int, marker: String?
    ) async throws(KeyError) -> ListPage<KeyGrant> {
        try await read(call) { connection in
            let key = try await self.decide(call, reference, on: connection).key
            if let grantee { try self.checkActsAs(grantee, call) }
            let parameters = ["ListGrants", key.keyID, grantID ?? "", grantee ?? ""]
            let after = try ListMarker.read(marker, parameters: parameters)
            let grants = try await GrantRows.list(
                keyID: key.keyID, grantID: grantID, grantee: grantee, after: after, limit: limit + 1, on: connection)
            return ListPage(found: grants, limit: limit, parameters: parameters) { $0.id }
        }
    }

    /// Grants on any key that a principal of the caller's own account may retire, or a service that the caller acts as. The
    /// caller's own policies decide; the resource is that principal.
    package func listRetirableGrants(
        _ call: KeyCall, retiring: String, limit: Int, marker: String?
    ) async throws(KeyError) -> ListPage<KeyGrant> {
        try await read(call) { connection in
            if !ServicePrincipalName.isValid(retiring) { _ = try GrantRequest.pattern(retiring) }
            try self.checkActsAs(retiring, call)
            try await self.decideByIdentity(call, resource: retiring, on: connection)
            let parameters = ["ListRetirableGrants", call.caller.account, retiring]
            let after = try ListMarker.read(marker, parameters: parameters)
            let grants = try await GrantRows.list(retiring: retiring, after: after, limit: limit + 1, on: connection)
            return ListPage(found: grants, limit: limit, parameters: parameters) { $0.id }
        }
    }
    /// KMS API reference: lists by service principal are for callers that are that service.
    private func checkActsAs(_ principal: String, _ call: KeyCall) throws(KeyError) {
        guard ServicePrincipalName.isValid(principal), principal != serviceName(of: call.caller) else { return }
        throw KeyError(
            .accessDenied, "User: \(call.caller.subject.name) does not act as the service principal \(principal)")
    }
}
