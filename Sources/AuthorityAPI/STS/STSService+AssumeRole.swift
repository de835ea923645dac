import AWSProtocol
import Accounts
import AuditTrail
import Policies
import Postgres
import Secrets

import struct FoundationEssentials.Date

extension STSService {
    /// Makes a session of a role, where the role's trust policy allows it explicitly; from another account the caller's own policies must
    /// allow it too. The service is allowed by trust alone, and only for resources of the role's account.
    func assumeRole(_ request: AuthenticatedRequest) async throws(AWSError) -> AWSReply {
        let wanted: AssumeRoleParameters
        do {
            wanted = try AssumeRoleParameters(request.parameters)
        } catch {
            throw await recorded(error, in: record("AssumeRole", request))
        }
        let source: ServiceSource?
        let mfaAt: Date?
        do {
            source = try ServiceSource(request, identity: identity)
            try checkSessionPolicy(wanted)
            mfaAt = try await shown(wanted.secondFactor, by: request)
        } catch {
            throw await recorded(AWSError(failure: error), request, wanted, role: nil, source: nil)
        }
        let made: (session: SessionCredentials, role: RoleEntity)
        do {
            let prepared = try await accounts.prepareSession()
            made = try await pool.retryingSerialization { connection in
                let role = try await self.decide(request, wanted, source, mfaAt, on: connection)
                let session = try await self.accounts.insert(
                    prepared, for: try await self.session(of: role, request, wanted, source, mfaAt, on: connection),
                    on: connection)
                try await self.trail.append(
                    self.records(of: session, role: role, request, wanted, source), on: connection)
                return (session, role)
            }
        } catch let refusal as Refusal {
            throw await recorded(refusal.error, request, wanted, role: refusal.role, source: source)
        } catch {
            throw AWSError(failure: error)
        }
        return answer(made.session, made.role, request, wanted)
    }

    /// Why a session was not made, and the role where it exists: its account then may see the record.
    private struct Refusal: Error {
        let error: AWSError
        let role: RoleEntity?
    }

    // MARK: Decision

    private func decide(
        _ request: AuthenticatedRequest, _ wanted: AssumeRoleParameters, _ source: ServiceSource?,
        _ mfaAt: Date?, on connection: PostgresConnection
    ) async throws -> RoleEntity {
        // A role of the service's own is assumed by its user, and not as the service, also for a customer's resource.
        let isForeign = source != nil && !identity.isOwnRole(wanted.roleARN)
        let policies = try await isForeign ? .none : accounts.policies(of: request.principal, on: connection)
        let subject = isForeign ? PolicySubject.service(identity.servicePrincipal) : request.principal.subject
        let context = context(request, wanted, isForeign ? source : nil, mfaAt)
        let question = { (action: String) in
            AuthorizationRequest(
                subject: subject, action: action, resource: wanted.roleARN.description, context: context)
        }
        // Absent, foreign and denied read alike: the text names nothing but what the caller sent.
        let denied = AWSError.accessDenied(
            "User: \(request.principal.arn) is not authorized to perform: sts:AssumeRole on resource: \(wanted.roleARN)")
        guard let role = try await accounts.role(wanted.roleARN, on: connection) else { throw Refusal(error: denied, role: nil) }
        if isForeign, let source, source.account != role.account { throw Refusal(error: denied, role: nil) }
        let trust = try accounts.policies.document(role.trustPolicy, kind: .trust)
        var actions = ["sts:AssumeRole"]
        if wanted.sourceIdentity != nil { actions.append("sts:SetSourceIdentity") }
        // Tags that come through a chain are set in the new session as well as those that are asked for.
        if !wanted.tags.isEmpty || request.principal.session?.transitiveTags.isEmpty == false { actions.append("sts:TagSession") }
        for action in actions {
            let decision = PolicyEvaluator.decideTrust(
                question(action), trustPolicy: trust, account: role.account, policies: policies)
            guard decision.isAllowed else { throw Refusal(error: denied, role: role) }
        }
        return role
    }

    private func context(
        _ request: AuthenticatedRequest, _ wanted: AssumeRoleParameters, _ source: ServiceSource?, _ mfaAt: Date?
    ) -> ConditionContext {
        var context: ConditionContext
        if let source {
            context = identity.conditionContext(request.circumstances)
            context.set("aws:SourceArn", source.arn)
            context.set("aws:SourceAccount", source.account)
        } else {
            context = request.principal.conditionContext(request.circumstances)
        }
        context.set("sts:RoleSessionName", wanted.sessionName)
        if let mfaAt { context.setSecondFactor(shownAt: mfaAt, at: request.eventTime) }
        for tag in wanted.tags.list { context.set("aws:RequestTag/\(tag.key)", tag.value) }
        if !wanted.tags.isEmpty { context["aws:TagKeys"] = wanted.tags.list.map(\.key) }
        if !wanted.transitiveTagKeys.isEmpty { context["sts:TransitiveTagKeys"] = wanted.transitiveTagKeys }
        if let id = wanted.externalID { context.set("sts:ExternalId", id) }
        if let sourceIdentity = wanted.sourceIdentity { context.set("sts:SourceIdentity", sourceIdentity) }
        return context
    }

    // MARK: The session

    private func session(
        of role: RoleEntity, _ request: AuthenticatedRequest, _ wanted: AssumeRoleParameters, _ source: ServiceSource?,
        _ mfaAt: Date?, on connection: PostgresConnection
    ) async throws -> SessionRequest {
        let caller = request.principal.session
        let seconds = wanted.seconds ?? AssumeRoleParameters.defaultSeconds
        if caller != nil, seconds > AssumeRoleParameters.maximumChainedSeconds {
            throw Refusal(
                error: .validation(
                    "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining."),
                role: role)
        }
        guard seconds <= role.maximumSessionSeconds else {
            throw Refusal(
                error: .validation("The requested DurationSeconds exceeds the MaxSessionDuration set for this role."), role: role)
        }
        // Once set, the source identity stays through the whole chain.
        if let inherited = caller?.sourceIdentity, let other = wanted.sourceIdentity, other != inherited {
            throw Refusal(error: .accessDenied("The source identity of a session cannot be changed."), role: role)
        }
        var session = SessionRequest(
            role: role, name: wanted.sessionName, seconds: seconds, policy: wanted.policy,
            sourceIdentity: wanted.sourceIdentity ?? caller?.sourceIdentity,
            record: source?.record(identity, roleAccount: role.account))
        session.managedPolicies = try await managedPolicies(wanted, role: role, on: connection)
        try setTags(of: &session, caller: caller, wanted)
        // The user's second factor stands behind the role; through a chain of roles it does not pass.
        session.mfaAt = mfaAt ?? request.principal.userSession?.mfaAt
        return session
    }

    /// Those that came through the chain stay as they are: nobody on the way may replace them.
    private func setTags(
        of session: inout SessionRequest, caller: Principal.RoleSession?, _ wanted: AssumeRoleParameters
    ) throws {
        let inherited = caller?.transitiveTags ?? .none
        guard !wanted.tags.list.contains(where: { inherited[$0.key] != nil }) else {
            throw Refusal(
                error: .invalidParameterValue(
                    "One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key "
                        + "from the calling session."),
                role: session.role)
        }
        do {
            session.tags = try inherited.setting(wanted.tags)
        } catch {
            throw Refusal(error: .validation(error.message), role: session.role)
        }
        session.transitiveTagKeys = inherited.list.map(\.key) + wanted.transitiveTagKeys
    }

    private func managedPolicies(
        _ wanted: AssumeRoleParameters, role: RoleEntity, on connection: PostgresConnection
    ) async throws -> [ManagedPolicyEntity] {
        var policies: [ManagedPolicyEntity] = []
        for arn in wanted.policyARNs {
            // Of the role's account, as at AWS.
            guard arn.account == role.account, let policy = try await accounts.policy(arn, on: connection) else {
                throw Refusal(error: .validation("The session policy \(arn) does not exist in the role's account."), role: role)
            }
            policies.append(policy)
        }
        return policies
    }

    private func checkSessionPolicy(_ wanted: AssumeRoleParameters) throws(AWSError) {
        guard let policy = wanted.policy else { return }
        do {
            _ = try accounts.policies.document(policy, kind: .session)
        } catch {
            throw AWSError(code: "MalformedPolicyDocument", message: error.message)
        }
    }

    private func answer(
        _ session: SessionCredentials, _ role: RoleEntity, _ request: AuthenticatedRequest, _ wanted: AssumeRoleParameters
    ) -> AWSReply {
        let sourceIdentity = wanted.sourceIdentity ?? request.principal.session?.sourceIdentity
        return .xml { result in
            session.write(to: &result)
            result.element("AssumedRoleUser") {
                $0.element("AssumedRoleId", "\(role.roleID):\(wanted.sessionName)")
                $0.element(
                    "Arn", ARN.session(account: role.account, role: role.name, name: wanted.sessionName).description)
            }
            result.element("PackedPolicySize", ifPresent: wanted.packedPolicySize.map(String.init))
            result.element("SourceIdentity", ifPresent: sourceIdentity)
        }
    }

    // MARK: The trail

    private func records(
        of session: SessionCredentials, role: RoleEntity, _ request: AuthenticatedRequest, _ wanted: AssumeRoleParameters,
        _ source: ServiceSource?
    ) -> [CloudTrailRecord] {
        var record = record("AssumeRole", request)
        record.requestParameters = requestParameters(request, wanted)
        record.responseElements = [
            "credentials": session.trail,
            "assumedRoleUser": [
                "assumedRoleId": .string("\(role.roleID):\(wanted.sessionName)"),
                "arn": .string(ARN.session(account: role.account, role: role.name, name: wanted.sessionName).description),
            ],
        ]
        record.resources = [resource(role)]
        return delivered(record, to: role, source)
    }

    private func requestParameters(_ request: AuthenticatedRequest, _ wanted: AssumeRoleParameters) -> JSONObject {
        var parameters = wanted.trail
        if let incoming = request.principal.session?.transitiveTags, !incoming.isEmpty {
            parameters["incomingTransitiveTags"] = .object(JSONObject(incoming.list.map { ($0.key, .string($0.value)) }))
        }
        return parameters
    }

    /// Records a refusal before it is answered; a fault on the way is answered instead.
    private func recorded(
        _ error: AWSError, _ request: AuthenticatedRequest, _ wanted: AssumeRoleParameters, role: RoleEntity?,
        source: ServiceSource?
    ) async -> AWSError {
        guard error.status < 500 else { return error }
        var record = record("AssumeRole", request)
        record.requestParameters = requestParameters(request, wanted)
        record.errorCode = error.inQueryForm.code
        record.errorMessage = error.message
        if let role { record.resources = [resource(role)] }
        do {
            // The role's account hears of the service's attempts only: anybody could fill its trail otherwise.
            try await trail.record(role.flatMap { source == nil ? nil : delivered(record, to: $0, source) } ?? [record])
            return error
        } catch {
            return AWSError(failure: error)
        }
    }

    /// What the service does in a customer's account stands in that account's trail; across customers both get a copy.
    private func delivered(
        _ record: CloudTrailRecord, to role: RoleEntity, _ source: ServiceSource?
    ) -> [CloudTrailRecord] {
        guard source != nil else { return record.delivered(alsoTo: role.account) }
        var record = record
        record.userIdentity = .awsService(invokedBy: identity.servicePrincipal)
        record.recipientAccountID = role.account
        return [record]
    }

    private func resource(_ role: RoleEntity) -> CloudTrailRecord.Resource {
        .init(accountID: role.account, type: "AWS::IAM::Role", arn: role.arn.description)
    }
}
