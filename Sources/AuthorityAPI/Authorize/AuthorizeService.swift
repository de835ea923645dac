package import AWSProtocol
package import Accounts
package import AuditTrail
import Policies
package import Postgres

import struct FoundationEssentials.UUID

/// The private operation by which the Forecast API asks who its caller is and what the caller may do.
///
/// The API hands on what the caller signed and is believed nothing about it: the signature is verified here as if the
/// request had come here itself, for the operation that it was signed for. Only the API's own user may ask.
package struct AuthorizeService: AuthorityService {
    package let route = AuthorityRoute.json(targetPrefix: AuthorizeRequest.targetPrefix)
    package let signingName = AuthorizeRequest.signingName
    /// Twice what the edges of callers take: it carries a caller's whole request for the trail.
    package let bodyLimits = JSONLimits(entries: 2000)

    private let authenticator: RequestAuthenticator
    private let accounts: AccountsStore
    private let keys: any KeyAccessDecider
    private let pool: PostgresPool
    private let trail: AuditTrail
    private let identity: ServiceIdentity
    private let rolesAreElsewhere: Bool

    /// The signing name and event source of the API that asks.
    private static let callersService = "forecast"
    private static let callersEventSource = "forecast.amazonaws.com"

    /// - Parameter rolesAreElsewhere: customers' roles are another server's (`sts.endpoint`): whether one exists is found out
    ///   there, by whoever assumes it.
    package init(
        authenticator: RequestAuthenticator, accounts: AccountsStore, keys: any KeyAccessDecider, pool: PostgresPool,
        trail: AuditTrail, identity: ServiceIdentity, rolesAreElsewhere: Bool = false
    ) {
        self.authenticator = authenticator
        self.accounts = accounts
        self.keys = keys
        self.pool = pool
        self.trail = trail
        self.identity = identity
        self.rolesAreElsewhere = rolesAreElsewhere
    }

    package func knows(operation: String) -> Bool { operation == AuthorizeRequest.operation }

    package func handle(operation: String, request: AuthenticatedRequest) async throws(AWSError) -> AWSReply {
        guard operation == AuthorizeRequest.operation else { throw .unknownOperation() }
        guard identity.mayAuthorize(request.principal) else { throw try await refused(request) }
        let asked = try AuthorizeRequest(json: request.body)
        try check(asked)
        let caller = try await authenticator.authenticate(asked.claim, service: Self.callersService, now: request.eventTime)
        let circumstances = RequestCircumstances(
            time: request.eventTime, sourceIP: asked.sourceIP, isSecureTransport: asked.isSecureTransport,
            region: identity.region, userAgent: shortened(asked.userAgent))
        do {
            let answers = try await decide(asked, caller: caller, circumstances, serviceIP: request.sourceIP)
            let record = record(asked, caller: caller, answers, request)
            try await trail.record(record)
            return .json(response(caller, answers, eventID: record.eventID).json)
        } catch {
            throw AWSError(failure: error)
        }
    }

    /// What was signed must be the operation that is asked about: a caller's DescribeDataset must not pass for a CreateDataset.
    private func check(_ asked: AuthorizeRequest) throws(AWSError) {
        guard !asked.claim.isPresigned else { throw .missingAuthenticationToken }
        let target = asked.claim.signedHeader("x-amz-target") ?? ""
        guard let dot = target.lastIndex(of: "."), target[target.index(after: dot)...] == asked.audit.eventName,
            asked.audit.eventSource == Self.callersEventSource
        else { throw .validation("The claim was signed for another operation.") }
        // What came of a call is told apart from what may be done: it decides nothing.
        guard asked.decisions.isEmpty == (asked.audit.refusal != nil) else { throw .validation("There is nothing to decide.") }
        let actions = AuthorizeActions.byOperation[asked.audit.eventName]?.actions ?? []
        guard asked.decisions.allSatisfy({ actions.contains($0.action) }) else {
            throw .validation("The action is none that can be asked about for this operation.")
        }
    }

    // MARK: Decisions

    /// - Parameter serviceIP: the address of the API, which is where its calls of KMS come from.
    private func decide(
        _ asked: AuthorizeRequest, caller: Principal, _ circumstances: RequestCircumstances, serviceIP: String
    ) async throws -> [KeyAccess] {
        let isForeign = asked.isForeign(to: caller.account)
        var forwarded = circumstances
        forwarded.sourceIP = serviceIP
        forwarded.userAgent = identity.servicePrincipal
        forwarded.forwarded = .init(viaService: identity.viaService, servicePrincipal: identity.servicePrincipal)
        var answers = try await pool.withConnection { connection in
            let policies = try await self.accounts.policies(of: caller, on: connection)
            var answers: [KeyAccess?] = []
            for (index, question) in asked.decisions.enumerated() {
                guard index == 0 || !isForeign else {
                    answers.append(.denied("The resource is another account's."))
                    continue
                }
                answers.append(try await self.decide(question, caller, policies, circumstances, on: connection))
            }
            return answers
        }
        // Keys are decided on connections of their own; holding one meanwhile could use up the pool.
        for (index, question) in asked.decisions.enumerated() where answers[index] == nil {
            answers[index] = try await keys.decide(
                principal: caller, circumstances: forwarded, action: question.action,
                key: filled(question.resource, caller), encryptionContext: question.encryptionContext,
                context: ConditionContext(question.otherContext))
        }
        return answers.compactMap { $0 }
    }

    /// Nil for a question about a key.
    private func decide(
        _ question: AuthorizeRequest.Decision, _ caller: Principal, _ policies: SubjectPolicies,
        _ circumstances: RequestCircumstances, on connection: PostgresConnection
    ) async throws -> KeyAccess? {
        if question.role != nil { return try await decideForRole(question, caller, circumstances, on: connection) }
        let decision = evaluate(question, of: caller, caller, policies, circumstances)
        switch question.service {
        case "kms":
            return nil
        case "forecast":
            return decision.isAllowed ? .allowed : .denied(decision.message)
        case "iam" where question.action == "iam:PassRole" && rolesAreElsewhere:
            let answer = evaluate(question, of: caller, caller, policies, circumstances, inAccountOfResource: true)
            return answer.isAllowed ? .allowed : .denied(answer.message)
        case "iam" where question.action == "iam:PassRole":
            guard decision.isAllowed else { return .denied(decision.message) }
            let role = try await ownRole(filled(question.resource, caller), caller, on: connection)
            return role == nil ? absentRole("iam:PassRole", filled(question.resource, caller), caller) : .allowed
        default:
            throw AWSError.validation("The action is none that can be asked about.")
        }
    }

    /// What a session of a role that the caller passes could do, with a bucket alone.
    private func decideForRole(
        _ question: AuthorizeRequest.Decision, _ caller: Principal, _ circumstances: RequestCircumstances,
        on connection: PostgresConnection
    ) async throws -> KeyAccess {
        guard question.service == "s3", let name = question.role else {
            throw AWSError.validation("The action is none that can be asked about for a role.")
        }
        guard let role = try await ownRole(filled(name, caller), caller, on: connection) else {
            return absentRole(question.action, filled(question.resource, caller), caller)
        }
        let session = role.principal(session: identity.servicePrincipal, at: circumstances.time)
        let policies = try await accounts.policies(of: role, on: connection)
        let decision = evaluate(question, of: session, caller, policies, circumstances)
        return decision.isAllowed ? .allowed : .denied(decision.message)
    }

    private func evaluate(
        _ question: AuthorizeRequest.Decision, of subject: Principal, _ caller: Principal, _ policies: SubjectPolicies,
        _ circumstances: RequestCircumstances, inAccountOfResource: Bool = false
    ) -> Decision {
        let resource = filled(question.resource, caller)
        var asking = subject.subject
        // An account elsewhere has no policies here that could open it: the caller's own are all there is to say.
        if inAccountOfResource, let account = ARN(resource)?.account { asking.account = account }
        // What is known of the subject wins over what the asker says.
        var context = ConditionContext(question.context)
        context.merge(subject.conditionContext(circumstances))
        return PolicyEvaluator.decide(
            AuthorizationRequest(
                subject: asking, action: question.action, resource: resource, context: context),
            policies: policies)
    }

    /// A role of the caller's own account; one of another account and one that is absent are the same.
    private func ownRole(
        _ text: String, _ caller: Principal, on connection: PostgresConnection
    ) async throws -> RoleEntity? {
        guard let arn = ARN(text), arn.account == caller.account else { return nil }
        return try await accounts.role(arn, on: connection)
    }

    private func absentRole(_ action: String, _ resource: String, _ caller: Principal) -> KeyAccess {
        .denied(
            "User: \(caller.arn) is not authorized to perform: \(action) on resource: \(resource) because the role does not "
                + "exist in the caller's account")
    }

    private func shortened(_ userAgent: String) -> String {
        String(userAgent.unicodeScalars.prefix(AuthorityHandler.maximumUserAgentCharacters))
    }

    private func filled(_ resource: String, _ caller: Principal) -> String {
        resource.replacing(AuthorizeRequest.accountPlaceholder, with: caller.account)
    }

    // MARK: Answer and trail

    private func response(_ caller: Principal, _ answers: [KeyAccess], eventID: UUID) -> AuthorizeResponse {
        let type =
            switch caller.kind {
            case .root: "Root"
            case .user: "User"
            case .assumedRole: "AssumedRole"
            }
        return AuthorizeResponse(
            principal: .init(arn: caller.arn.description, account: caller.account, userID: caller.userID, type: type),
            decisions: answers.map { .init(isAllowed: $0.isAllowed, code: $0.code, message: $0.message) },
            eventID: eventID.uuidString.lowercased())
    }

    /// The record of the caller's request, under the caller's name and address.
    private func record(
        _ asked: AuthorizeRequest, caller: Principal, _ answers: [KeyAccess], _ request: AuthenticatedRequest
    ) -> CloudTrailRecord {
        let isForeign = asked.isForeign(to: caller.account)
        let denial = zip(asked.decisions, answers).prefix(isForeign ? 1 : .max).first { !$0.isOptional && !$1.isAllowed }?.1
        var refusal =
            denial.map { AuthorizeRequest.Refusal(code: $0.code, message: $0.message) } ?? asked.audit.refusal
        if refusal == nil, isForeign {
            refusal = .init(code: "ResourceNotFoundException", message: "No resource found \(asked.named ?? "")")
        }
        let source = caller.trailSource(sourceIP: asked.sourceIP, userAgent: shortened(asked.userAgent), identity)
        return CloudTrailRecord(
            userIdentity: caller.trailIdentity(identity), eventTime: request.eventTime,
            eventSource: asked.audit.eventSource, eventName: asked.audit.eventName, awsRegion: identity.region,
            sourceIPAddress: source.sourceIPAddress, userAgent: source.userAgent, requestID: asked.requestID,
            readOnly: asked.audit.isReadOnly, recipientAccountID: caller.account,
            requestParameters: asked.audit.requestParameters.objectValue,
            resources: asked.audit.resources.compactMap { resource($0, caller) },
            errorCode: refusal.map { $0.code == "AccessDeniedException" ? "AccessDenied" : $0.code },
            errorMessage: refusal?.message)
    }

    /// A resource in the record's form, `{"ARN", "type"}`; what has another form is left out.
    private func resource(_ value: JSONValue, _ caller: Principal) -> CloudTrailRecord.Resource? {
        guard let text = value["ARN"]?.stringValue, let type = value["type"]?.stringValue else { return nil }
        let arn = filled(text, caller)
        return .init(accountID: ARN(arn)?.account ?? caller.account, type: type, arn: arn)
    }

    /// Somebody known asked who may not ask: recorded, then refused.
    private func refused(_ request: AuthenticatedRequest) async throws(AWSError) -> AWSError {
        let error = AWSError.accessDenied(
            "User: \(request.principal.arn) is not authorized to perform: forecastle:Authorize")
        let source = request.principal.trailSource(
            sourceIP: request.sourceIP, userAgent: request.userAgent, identity)
        let record = CloudTrailRecord(
            userIdentity: request.principal.trailIdentity(identity), eventTime: request.eventTime,
            eventSource: "authority.forecastle", eventName: "Authorize", awsRegion: identity.region,
            sourceIPAddress: source.sourceIPAddress, userAgent: source.userAgent, requestID: request.requestID, readOnly: true,
            recipientAccountID: request.principal.account, errorCode: "AccessDenied", errorMessage: error.message)
        do {
            try await trail.record(record)
        } catch {
            throw AWSError(failure: error)
        }
        return error
    }
}

extension AuthorizeRequest {
    fileprivate func isForeign(to account: String) -> Bool { named.map { ARN($0)?.account != account } ?? false }
}

extension AuthorizeRequest.Decision {
    fileprivate var service: String { String(action.prefix { $0 != ":" }) }

    private static let encryptionContextPrefix = "kms:EncryptionContext:"

    /// The pairs of an encryption context among the condition keys: constraints of grants look at them too.
    fileprivate var encryptionContext: [String: String] {
        var pairs: [String: String] = [:]
        for (key, values) in context where key.hasPrefix(Self.encryptionContextPrefix) && values.count == 1 {
            pairs[String(key.dropFirst(Self.encryptionContextPrefix.count))] = values[0]
        }
        return pairs
    }

    fileprivate var otherContext: [String: [String]] {
        context.filter { !$0.key.hasPrefix(Self.encryptionContextPrefix) }
    }
}

extension KeyAccess {
    fileprivate static func denied(_ message: String) -> KeyAccess {
        KeyAccess(isAllowed: false, code: "AccessDeniedException", message: message)
    }
}
