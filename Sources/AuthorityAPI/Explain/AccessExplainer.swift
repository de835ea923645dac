import AWSProtocol
package import Accounts
package import Keys
package import Policies
package import Postgres

package import struct FoundationEssentials.Date

/// A question of an operator: may this principal do this to that?
package struct AccessQuestion: Sendable {
    /// An access key id, the ARN of root, a user, a role or a session, or the name of a service.
    package var principal: String
    package var action: String
    /// An ARN, `*`, or for KMS a key id or alias.
    package var resource: String
    /// Condition keys of the request; they win over what is known of the principal.
    package var context: [String: [String]]
    package var encryptionContext: [String: String]

    package init(
        principal: String, action: String, resource: String = "*", context: [String: [String]] = [:],
        encryptionContext: [String: String] = [:]
    ) {
        self.principal = principal
        self.action = action
        self.resource = resource
        self.context = context
        self.encryptionContext = encryptionContext
    }
}

/// The answer: the decision as the authority would make it, and what it rests on.
package struct AccessExplanation: Sendable {
    package let principal: String
    package let resource: String
    package let decision: Decision
    /// What would refuse an allowed call all the same: a key's state, or the limits of a grant. Nil where nothing does.
    package let refusal: String?

    package var isAllowed: Bool { decision.isAllowed && refusal == nil }
}

/// Answers operators' questions by the functions that the authority decides with, over the same rows, in a transaction that
/// cannot write. Nothing is recorded, because nothing is done.
///
/// Not answered for `kms:RetireGrant`: who may retire depends on the grant and not on policies alone.
package struct AccessExplainer: Sendable {
    private let accounts: AccountsStore
    private let keys: KeyService
    private let pool: PostgresPool
    private let identity: ServiceIdentity

    package init(accounts: AccountsStore, keys: KeyService, pool: PostgresPool, identity: ServiceIdentity) {
        self.accounts = accounts
        self.keys = keys
        self.pool = pool
        self.identity = identity
    }

    package func explain(_ question: AccessQuestion, now: Date) async throws -> AccessExplanation {
        guard question.action != "kms:RetireGrant" else {
            throw AWSError.validation("Who may retire a grant depends on the grant: see ListGrants and the retiring principal.")
        }
        return try await pool.transaction { connection in
            try await connection.execute("SET TRANSACTION READ ONLY")
            if question.principal == self.identity.servicePrincipal {
                return try await self.explainService(question, now: now, on: connection)
            }
            let principal = try await self.accounts.principal(named: question.principal, now: now, on: connection)
            if let operation = Self.keyOperation(question) {
                return try await self.explain(operation, question, principal, now: now, on: connection)
            }
            let policies = try await self.accounts.policies(of: principal, on: connection)
            let context = principal.conditionContext(self.circumstances(now))
            let request = Self.request(question, by: principal.subject, known: context)
            let decision =
                try await self.decideTrust(request, policies, on: connection)
                ?? PolicyEvaluator.decide(request, policies: policies)
            return AccessExplanation(
                principal: principal.arn.description, resource: question.resource, decision: decision, refusal: nil)
        }
    }

    // MARK: Parts

    private func explain(
        _ operation: KeyOperation, _ question: AccessQuestion, _ principal: Principal, now: Date,
        on connection: PostgresConnection
    ) async throws -> AccessExplanation {
        let explained = try await keys.explain(
            operation, by: KeyCaller(principal: principal, circumstances: circumstances(now)),
            key: try KeyReference(question.resource), encryptionContext: question.encryptionContext,
            context: ConditionContext(question.context), on: connection)
        return AccessExplanation(
            principal: principal.arn.description, resource: explained.key?.description ?? question.resource,
            decision: explained.decision, refusal: explained.refusal.map { "\($0.code.wireName): \($0.message)" })
    }

    /// The service is let in by trust policies alone.
    private func explainService(
        _ question: AccessQuestion, now: Date, on connection: PostgresConnection
    ) async throws -> AccessExplanation {
        let request = Self.request(
            question, by: .service(identity.servicePrincipal), known: identity.conditionContext(circumstances(now)))
        guard let decision = try await decideTrust(request, .none, on: connection) else {
            throw AWSError.validation(
                "A service's own name counts in the trust policies of roles alone: give sts:AssumeRole and a role.")
        }
        return AccessExplanation(
            principal: identity.servicePrincipal, resource: question.resource, decision: decision, refusal: nil)
    }

    /// Nil for what no trust policy decides.
    private func decideTrust(
        _ request: AuthorizationRequest, _ policies: SubjectPolicies, on connection: PostgresConnection
    ) async throws -> Decision? {
        guard request.action.hasPrefix("sts:"), let arn = ARN(request.resource), arn.service == "iam",
            arn.resourceType == "role"
        else { return nil }
        guard let role = try await accounts.role(arn, on: connection) else {
            throw AWSError.notFound("There is no role \(arn).")
        }
        let trust = try accounts.policies.document(role.trustPolicy, kind: .trust)
        return PolicyEvaluator.decideTrust(request, trustPolicy: trust, account: role.account, policies: policies)
    }

    private static func request(
        _ question: AccessQuestion, by subject: PolicySubject, known: ConditionContext
    ) -> AuthorizationRequest {
        var context = known
        context.setEncryptionContext(question.encryptionContext)
        context.merge(ConditionContext(question.context))
        return AuthorizationRequest(
            subject: subject, action: question.action, resource: question.resource, context: context)
    }

    /// Of a KMS action whose resource is a key; nil where the caller's own policies are asked about something else.
    private static func keyOperation(_ question: AccessQuestion) -> KeyOperation? {
        guard question.action.hasPrefix("kms:"), question.resource != "*",
            let operation = KeyOperation(rawValue: String(question.action.dropFirst(4))),
            !withoutKey.contains(operation.rawValue)
        else { return nil }
        let isAlias = question.resource.hasPrefix("alias/") || ARN(question.resource)?.resourceType == "alias"
        return isAlias && ofAliases.contains(operation.rawValue) ? nil : operation
    }

    private static let withoutKey: Set<String> = [
        "CreateKey", "GenerateRandom", "ListAliases", "ListKeys", "ListRetirableGrants",
    ]
    /// These ask about the alias and the key apart.
    private static let ofAliases: Set<String> = ["CreateAlias", "DeleteAlias", "UpdateAlias"]

    private func circumstances(_ now: Date) -> RequestCircumstances {
        RequestCircumstances(time: now, sourceIP: "", isSecureTransport: false, region: identity.region)
    }
}
