package import AWSClients
import AWSProtocol

/// Asks the authority who signed a request and whether it is allowed. The API itself holds no secret of a caller, no policy.
package struct Authorizer: Sendable {
    private static let eventSource = "forecast.amazonaws.com"

    private let authority: AuthorityClient
    private let region: String
    private let rights: CallerRights?

    /// - Parameter rights: who answers for keys and roles that the authority does not have; nil where it has all.
    package init(authority: AuthorityClient, region: String, rights: CallerRights? = nil) {
        self.authority = authority
        self.region = region
        self.rights = rights
    }

    /// The caller, where the signature holds and all is allowed. One call of the authority; where keys live
    /// elsewhere, those who know about them are asked after it.
    ///
    /// A foreign resource is answered as one that does not exist, whatever was decided about its keys.
    func authorize(
        _ claim: SignedRequestClaim, request: AWSRequest, requestID: String, operation: ForecastOperation, input: JSONObject?,
        plan: OperationPlan?
    ) async throws -> Caller {
        // A request that can't be planned names nothing for certain: whoever may do this with any resource of the account is told
        // what is wrong with it.
        let resource = plan?.resource ?? "arn:aws:forecast:\(region):\(AuthorizeRequest.accountPlaceholder):*"
        let userAgent = request.header("user-agent") ?? ""
        let audit = Self.audit(operation, input, plan)
        var decisions = [AuthorizeRequest.Decision(action: operation.action, resource: resource)]
        let questions = plan?.questions ?? []
        let actions = AuthorizeActions.byOperation[operation.name]?.actions ?? []
        guard questions.allSatisfy({ actions.contains($0.action) }) else { throw AWSError.internalFailure() }
        let elsewhere = rights.map { rights in questions.filter(rights.isAsked) } ?? []
        for question in questions where !elsewhere.contains(question) {
            decisions.append(
                .init(
                    action: question.action, resource: question.resource, context: question.context, role: question.role,
                    isOptional: question.isOptional))
        }
        let answer = try await authority.authorize(
            AuthorizeRequest(
                claim: claim, sourceIP: request.sourceAddress, userAgent: userAgent, requestID: requestID,
                isSecureTransport: request.isSecureTransport,
                audit: audit, named: plan?.named, decisions: decisions))
        if let denial = answer.decisions[0].error { throw Self.denied(denial) }
        if let named = plan?.named, ARN(named)?.account != answer.principal.account { throw AWSError.resourceNotFound(named) }
        let denials = zip(decisions, answer.decisions).filter { !$1.isAllowed }
        if let denial = denials.first(where: { !$0.0.isOptional })?.1.error { throw Self.denied(denial) }
        var caller = Caller(
            arn: answer.principal.arn, account: answer.principal.account, sourceAddress: request.sourceAddress,
            userAgent: userAgent, requestID: requestID)
        caller.lacksOptionalRights = !denials.isEmpty
        guard let rights else { return caller }
        try await rights.require(elsewhere.filter { !$0.isOptional }, caller: caller)
        do {
            try await rights.require(elsewhere.filter(\.isOptional), caller: caller)
        } catch let error as AWSError where !error.isRetriable {
            caller.lacksOptionalRights = true
        }
        return caller
    }

    /// Has the trail say what was refused after the call had been allowed. The caller hears of the refusal only then: what answered
    /// differently from what the trail says would be worse than no answer.
    func record(
        _ refusal: AWSError, of claim: SignedRequestClaim, request: AWSRequest, requestID: String, operation: ForecastOperation,
        input: JSONObject?, plan: OperationPlan?
    ) async throws {
        var audit = Self.audit(operation, input, plan)
        audit.refusal = .init(code: refusal.code, message: refusal.message)
        _ = try await authority.authorize(
            AuthorizeRequest(
                claim: claim, sourceIP: request.sourceAddress, userAgent: request.header("user-agent") ?? "",
                requestID: requestID, isSecureTransport: request.isSecureTransport, audit: audit, decisions: []))
    }

    private static func audit(
        _ operation: ForecastOperation, _ input: JSONObject?, _ plan: OperationPlan?
    ) -> AuthorizeRequest.Audit {
        .init(
            eventSource: eventSource, eventName: operation.name, isReadOnly: operation.isReadOnly,
            requestParameters: parameters(input), resources: resources(plan))
    }

    /// A key that is disabled or gone denies as a policy does: this API has one word for it.
    private static func denied(_ error: AWSError) -> AWSError {
        error.code == "AccessDeniedException" ? error : .accessDenied(error.message)
    }

    /// What the call was about, by which `LookupEvents` finds it.
    private static func resources(_ plan: OperationPlan?) -> [JSONValue] {
        guard let resource = plan?.resource, let type = ARN(resource)?.resourceType else { return [] }
        let word = type.split(separator: "-").map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined()
        return [["ARN": .string(resource), "type": .string("AWS::Forecast::\(word)")]]
    }

    /// The request as the trail shows it: member names in camel case. Filter values of data calls are left out.
    private static func parameters(_ input: JSONObject?) -> JSONValue {
        guard let input else { return .null }
        var shown = input
        if let filters = input["Filters"]?.objectValue {
            shown["Filters"] = .object(JSONObject(filters.keys.map { ($0, "HIDDEN_DUE_TO_SECURITY_REASONS") }))
        }
        return .object(camelCased(shown))
    }

    private static func camelCased(_ object: JSONObject) -> JSONObject {
        JSONObject(object.map { ($0.key.camelCased, camelCased($0.value)) })
    }

    private static func camelCased(_ value: JSONValue) -> JSONValue {
        switch value {
        case .object(let object): .object(camelCased(object))
        case .array(let elements): .array(elements.map(camelCased))
        default: value
        }
    }
}
