package import AWSClients
import AWSProtocol

/// Asks the authority who signed a request and whether it is allowed. The API itself holds no secret of a caller, no policy.
package struct Authorizer: Sendable {
    private static let eventSource = "forecast.amazonaws.com"

    private let authority: AuthorityClient

    package init(authority: AuthorityClient) {
        self.authority = authority
    }

    /// The caller, where the signature holds and all is allowed. One call of the authority.
    ///
    /// A foreign resource is answered as one that does not exist, whatever was decided about its keys.
    func authorize(
        _ claim: SignedRequestClaim, request: AWSRequest, requestID: String, operation: ForecastOperation, input: JSONObject?,
        plan: OperationPlan?
    ) async throws -> Caller {
        let resource = plan?.resource ?? "*"
        let userAgent = request.header("user-agent") ?? ""
        var decisions = [AuthorizeRequest.Decision(action: operation.action, resource: resource)]
        for question in plan?.questions ?? [] {
            decisions.append(
                .init(action: question.action, resource: question.resource, context: question.context, role: question.role))
        }
        let answer = try await authority.authorize(
            AuthorizeRequest(
                claim: claim, sourceIP: request.sourceAddress, userAgent: userAgent, requestID: requestID,
                isSecureTransport: request.isSecureTransport,
                audit: .init(
                    eventSource: Self.eventSource, eventName: operation.name, isReadOnly: operation.isReadOnly,
                    requestParameters: Self.parameters(input), resources: []),
                decisions: decisions))
        if let denial = answer.decisions[0].error { throw Self.denied(denial) }
        if let owner = plan?.owner, owner != answer.principal.account { throw AWSError.resourceNotFound(resource) }
        if let denial = answer.firstDenial { throw Self.denied(denial) }
        return Caller(
            arn: answer.principal.arn, account: answer.principal.account, sourceAddress: request.sourceAddress,
            userAgent: userAgent, requestID: requestID)
    }

    /// A key that is disabled or gone denies as a policy does: this API has one word for it.
    private static func denied(_ error: AWSError) -> AWSError {
        error.code == "AccessDeniedException" ? error : .accessDenied(error.message)
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
