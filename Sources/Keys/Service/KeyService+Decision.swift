import AWSProtocol
import Accounts
import Policies
import Postgres

/// A key that a call was allowed to work on, and what the permission rests on.
struct DecidedKey: Sendable {
    let key: KeyRow
    let decision: Decision
    /// The grant behind the permission, where it is one.
    let grant: KeyGrant?
}

/// What the request itself adds to a decision.
struct DecisionInput: Sendable {
    var encryptionContext: [String: String] = [:]
    var context = ConditionContext()
    var lock = KeyRows.Lock.none
    var acceptsAlias = false
    /// False where the operation does not care for the state of this key: UpdateAlias of the former target.
    var checksState = true
}

extension KeyService {
    /// Finds the key, decides, and checks that the key's state allows the operation; in this order, so that nobody learns the
    /// state of a key that is not open to them.
    ///
    /// Another account's key that is absent gives the same refusal as one that is not open.
    func decide(
        _ call: KeyCall, _ reference: KeyReference, _ input: DecisionInput = DecisionInput(), on connection: PostgresConnection
    ) async throws -> DecidedKey {
        try await decide(call, reference, input, reading: reading(on: connection))
    }

    func decide(
        _ call: KeyCall, _ reference: KeyReference, _ input: DecisionInput, reading: any KeyReading
    ) async throws -> DecidedKey {
        try await decide(call.caller, call.operation, reference, input, concerns: call.concerns, reading: reading)
    }

    /// - Parameter concerns: told of the key as soon as it is found, for the record of a refusal.
    func decide(
        _ caller: KeyCaller, _ operation: KeyOperation, _ reference: KeyReference, _ input: DecisionInput,
        concerns: (ARN) -> Void, reading: any KeyReading
    ) async throws -> DecidedKey {
        let key = try await locate(caller, operation, reference, input, concerns: concerns, reading: reading)
        let decided = try await authorize(caller, key: key, operation: operation, input: input, reading: reading)
        guard decided.decision.isAllowed else {
            // The same words as for a key that is absent: not even the key behind a foreign alias shows.
            if key.account != caller.account {
                throw try await foreignRefusal(caller, operation, named(reference, account: caller.account), reading: reading)
            }
            throw KeyError(.accessDenied, decided.decision.message)
        }
        if input.checksState, let refusal = key.metadata.state.refusal(of: operation, key: key.arn) { throw refusal }
        return decided
    }

    func locate(
        _ caller: KeyCaller, _ operation: KeyOperation, _ reference: KeyReference, _ input: DecisionInput,
        concerns: (ARN) -> Void, reading: any KeyReading
    ) async throws -> KeyRow {
        if reference.isAlias, !input.acceptsAlias {
            switch reference {
            case .aliasARN(let arn): throw KeyError(.invalidArn, "\(arn) is not a key ARN.")
            case .aliasName(let name): throw KeyError.invalidKeyID(name)
            case .keyID, .keyARN: break
            }
        }
        let found = try await reading.key(reference, account: caller.account, lock: input.lock)
        if let found {
            concerns(found.arn)
            return found
        }
        let arn = named(reference, account: caller.account)
        if arn.account != caller.account { throw try await foreignRefusal(caller, operation, arn, reading: reading) }
        throw reference.isAlias ? KeyError.aliasNotFound(arn) : .keyNotFound(arn)
    }

    private func foreignRefusal(
        _ caller: KeyCaller, _ operation: KeyOperation, _ arn: ARN, reading: any KeyReading
    ) async throws -> KeyError {
        let request = AuthorizationRequest(
            subject: caller.subject, action: operation.action, resource: arn.description, context: caller.context)
        let decision = PolicyEvaluator.decideAbsentForeignKey(
            request, policies: try await reading.policies(of: caller.principal))
        return KeyError(.accessDenied, decision.message)
    }

    /// Policy first, then grants; the limit on grants made through grants applies only where the decision rests on one.
    func authorize(
        _ caller: KeyCaller, key: KeyRow, operation: KeyOperation, input: DecisionInput, reading: any KeyReading
    ) async throws -> DecidedKey {
        let policies = try await reading.policies(of: caller.principal)
        let grantees = caller.granteeForms(actingAs: serviceName(of: caller))
        let grants = try await reading.grants(on: key, grantees: grantees, operation: operation)
            .filter { $0.applies(to: caller, operation) }
        let request = AuthorizationRequest(
            subject: caller.subject, action: operation.action, resource: key.arn.description,
            context: context(caller, key: key, operation: operation, input: input))
        let decision = PolicyEvaluator.decideKey(
            request, keyPolicy: try document(key.policy), account: key.account, policies: policies,
            grants: try grants.map { try $0.policyGrant(for: caller) }, encryptionContext: input.encryptionContext,
            isUsableAcrossAccounts: operation.isCrossAccount)
        return DecidedKey(
            key: key, decision: decision, grant: decision.grantID.flatMap { id in grants.first { $0.id == id } })
    }

    /// For operations that no key policy can open: the caller's own policies decide.
    func decideByIdentity(
        _ call: KeyCall, _ operation: KeyOperation? = nil, resource: String,
        context extra: ConditionContext = ConditionContext(), on connection: PostgresConnection
    ) async throws {
        var context = call.caller.context
        context.merge(extra)
        let request = AuthorizationRequest(
            subject: call.caller.subject, action: (operation ?? call.operation).action, resource: resource, context: context)
        let decision = PolicyEvaluator.decide(
            request, policies: try await accounts.policies(of: call.caller.principal, on: connection))
        guard decision.isAllowed else { throw KeyError(.accessDenied, decision.message) }
    }

    /// Stored policies were checked when they were put; one that does not parse now may hold a Deny, so nothing is decided.
    func document(_ policy: String) throws -> PolicyDocument {
        do {
            return try accounts.policies.document(policy, kind: .key)
        } catch {
            throw KeyError.internal("The key's policy cannot be read.", cause: error)
        }
    }

    private func context(
        _ caller: KeyCaller, key: KeyRow, operation: KeyOperation, input: DecisionInput
    ) -> ConditionContext {
        var context = caller.context
        context.merge(Self.keyConditions)
        if operation.usesEncryptionContext {
            context.set("kms:EncryptionAlgorithm", KeyMetadata.encryptionAlgorithm)
            context.setEncryptionContext(input.encryptionContext)
        }
        for tag in key.tags { context.set("aws:ResourceTag/\(tag.key)", tag.value) }
        if !key.aliases.isEmpty { context["kms:ResourceAliases"] = key.aliases }
        context.merge(input.context)
        return context
    }

    /// The name of the service that the caller acts as, for grants to services: nil for everybody but the service's own.
    func serviceName(of caller: KeyCaller) -> String? {
        identity.isOwn(caller.principal) ? identity.servicePrincipal : nil
    }

    /// The same for every key that this authority makes.
    static let keyConditions = ConditionContext([
        "kms:KeySpec": [KeyMetadata.keySpec], "kms:KeyUsage": [KeyMetadata.keyUsage], "kms:KeyOrigin": [KeyMetadata.origin],
        "kms:MultiRegion": ["false"],
        // Their names of before 2021, which policies may still use.
        "kms:CustomerMasterKeySpec": [KeyMetadata.keySpec], "kms:CustomerMasterKeyUsage": [KeyMetadata.keyUsage],
    ])

    private func named(_ reference: KeyReference, account: String) -> ARN {
        switch reference {
        case .keyARN(let arn), .aliasARN(let arn): arn
        case .keyID(let id): ARN(service: "kms", region: region, account: account, resource: "key/\(id)")
        case .aliasName(let name): ARN(service: "kms", region: region, account: account, resource: name)
        }
    }
}
