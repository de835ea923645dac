package import AWSProtocol
package import AWSServer
package import Accounts
package import Logging
import Metrics
import Telemetry

/// The authority behind its HTTP edge: finds the service, verifies who calls, hands over, and writes answer or error in the
/// service's protocol. No request is anonymous.
package struct AuthorityHandler: AWSRequestHandler {
    /// Characters of a user agent that are kept.
    static let maximumUserAgentCharacters = 1024

    /// Twice what the edges of callers take: Authorize carries a caller's whole request for the trail.
    static let bodyLimits = JSONLimits(entries: 2000)

    private let jsonServices: [String: any AuthorityService]
    private let queryServices: [String: any AuthorityService]
    private let authenticator: RequestAuthenticator
    private let region: String
    private let logger: Logger

    package init(
        services: [any AuthorityService], authenticator: RequestAuthenticator, region: String, logger: Logger
    ) {
        var json: [String: any AuthorityService] = [:]
        var query: [String: any AuthorityService] = [:]
        for service in services {
            switch service.route {
            case .json(let prefix): json[prefix] = service
            case .query: query[service.signingName] = service
            }
        }
        jsonServices = json
        queryServices = query
        self.authenticator = authenticator
        self.region = region
        self.logger = logger
    }

    package func respond(to request: AWSRequest, requestID: String) async -> AWSResponse {
        // A request with a target is one of the JSON services, whatever else it may be: the error has to fit the client.
        let isJSON = !request.headerValues("x-amz-target").isEmpty
        do {
            return isJSON
                ? try await respondInJSON(to: request, requestID: requestID)
                : try await respondInXML(to: request, requestID: requestID)
        } catch {
            log(error, requestID: requestID)
            return isJSON
                ? .error(error)
                : .queryError(error, namespace: Self.namespace(of: queryServices.values.first), requestID: requestID)
        }
    }

    private func respondInJSON(to request: AWSRequest, requestID: String) async throws(AWSError) -> AWSResponse {
        guard let target = request.target, let service = jsonServices[target.prefix], request.isAtRoot, request.method == "POST"
        else { throw .unknownOperation() }
        let claim = try SignedRequestClaim(parsing: request)
        guard !claim.isPresigned else { throw .missingAuthenticationToken }
        let principal = try await authenticate(claim, for: service, request)
        let reply = try await service.handle(
            operation: target.operation,
            request: AuthenticatedRequest(
                principal: principal, circumstances: circumstances(of: request), requestID: requestID,
                userAgent: userAgent(of: request), claim: claim,
                body: try JSONObject.parseBody(request.body, limits: Self.bodyLimits)))
        switch reply {
        case .json(let object): return .json(object)
        case .secretJSON(let body): return .secretJSON(body)
        case .empty: return .empty
        case .xml: throw .internalFailure()
        }
    }

    private func respondInXML(to request: AWSRequest, requestID: String) async throws(AWSError) -> AWSResponse {
        guard request.isAtRoot, request.method == "POST" || request.method == "GET" else { throw .unknownOperation() }
        let claim = try SignedRequestClaim(parsing: request)
        guard let service = queryServices[claim.scope.service] else {
            throw .invalidSignature("Credential should be scoped to correct service.")
        }
        let principal = try await authenticate(claim, for: service, request)
        let parameters = try QueryParameters(of: request)
        guard case .query(let version, let namespace) = service.route, parameters["Version"] == version,
            let operation = parameters["Action"]
        else { throw .unknownOperation("The action or version is not known.") }
        let reply = try await service.handle(
            operation: operation,
            request: AuthenticatedRequest(
                principal: principal, circumstances: circumstances(of: request), requestID: requestID,
                userAgent: userAgent(of: request), claim: claim, parameters: parameters))
        guard case .xml(let result) = reply else { throw .internalFailure() }
        var writer = XMLWriter()
        // The service knows the operation by now, so that its name is safe as that of an element.
        writer.element(operation + "Response", namespace: namespace) { response in
            response.element(operation + "Result") { result(&$0) }
            response.element("ResponseMetadata") { $0.element("RequestId", requestID) }
        }
        return .xml(writer.bytes)
    }

    private func authenticate(
        _ claim: SignedRequestClaim, for service: any AuthorityService, _ request: AWSRequest
    ) async throws(AWSError) -> Principal {
        do {
            return try await authenticator.authenticate(claim, service: service.signingName, now: request.receivedAt)
        } catch {
            if !error.isRetriable { Counter(label: MetricName.signaturesRefused, dimensions: [("code", error.code)]).increment() }
            throw error
        }
    }

    private func circumstances(of request: AWSRequest) -> RequestCircumstances {
        RequestCircumstances(
            time: request.receivedAt, sourceIP: request.sourceAddress, isSecureTransport: request.isSecureTransport,
            region: region)
    }

    private func userAgent(of request: AWSRequest) -> String {
        String((request.header("user-agent") ?? "").unicodeScalars.prefix(Self.maximumUserAgentCharacters))
    }

    private static func namespace(of service: (any AuthorityService)?) -> String {
        if case .query(_, let namespace)? = service?.route { namespace } else { "" }
    }

    /// Causes go to the log and nowhere else.
    private func log(_ error: AWSError, requestID: String) {
        guard error.status >= 500 else { return }
        let cause = error.cause.map { "\($0)" } ?? "none given"
        logger.error(
            "request failed", metadata: ["request": "\(requestID)", "code": "\(error.code)", "cause": "\(cause)"])
    }
}

extension AWSRequest {
    fileprivate var isAtRoot: Bool { path == "/" || path.isEmpty }
}
