package import AWSProtocol
package import AWSServer
package import Accounts
package import Freshness
package import Logging
import Secrets
import Telemetry

/// The authority behind its HTTP edge: finds the service, verifies who calls, hands over, and writes answer or error in the
/// service's protocol. No request is anonymous.
package struct AuthorityHandler: AWSRequestHandler {
    /// Characters of a user agent that are kept.
    static let maximumUserAgentCharacters = 1024

    private let jsonServices: [String: any AuthorityService]
    private let queryServices: [String: any AuthorityService]
    private let authenticator: RequestAuthenticator
    private let admission: Admission?
    private let recorder: CallRecorder
    private let region: String
    private let board: CacheBoard
    private let logger: Logger

    /// - Parameter admission: nil for no quotas.
    package init(
        services: [any AuthorityService], authenticator: RequestAuthenticator, recorder: CallRecorder,
        admission: Admission? = nil, region: String, board: CacheBoard = CacheBoard(), logger: Logger
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
        self.admission = admission
        self.recorder = recorder
        self.region = region
        self.board = board
        self.logger = logger
        Measure.count(.signaturesRefused, [("code", "InvalidSignatureException")], by: 0)
        Measure.count(.callsThrottled, [("quota", RequestQuota.principal.name)], by: 0)
    }

    package var secretTargets: Set<String> {
        Set(jsonServices.flatMap { prefix, service in service.secretMembers.keys.map { "\(prefix).\($0)" } })
    }

    package func respond(to request: AWSRequest, requestID: String) async -> AWSResponse {
        defer { request.secretBody?.wipe() }
        let meter = RequestMeter()
        // Not signed, perhaps not even the client's: it stands in the log beside the request's id and decides nothing.
        let trace = TraceContext(headers: request.headerValues(TraceContext.headerName))
        return await LogScope(requestID: requestID).run(trace: trace) {
            await respond(to: request, requestID: requestID, meter)
        }
    }

    private func respond(to request: AWSRequest, requestID: String, _ meter: RequestMeter) async -> AWSResponse {
        // A request with a target is one of the JSON services, whatever else it may be: the error has to fit the client.
        let isJSON = !request.headerValues("x-amz-target").isEmpty
        do {
            try admit()
            let response =
                isJSON
                ? try await respondInJSON(to: request, requestID: requestID, meter)
                : try await respondInXML(to: request, requestID: requestID, meter)
            return response
        } catch {
            finish(meter, error)
            return isJSON
                ? .error(error)
                : .queryError(error, namespace: Self.namespace(of: queryServices.values.first), requestID: requestID)
        }
    }

    private func respondInJSON(
        to request: AWSRequest, requestID: String, _ meter: RequestMeter
    ) async throws(AWSError) -> AWSResponse {
        guard let target = request.target, let service = jsonServices[target.prefix], request.isAtRoot, request.method == "POST"
        else { throw .unknownOperation() }
        meter.isOf(
            service: service.signingName, operation: service.knows(operation: target.operation) ? target.operation : nil)
        let claim = try SignedRequestClaim(parsing: request)
        guard !claim.isPresigned else { throw .missingAuthenticationToken }
        // Taken out of the request once and admitted once, though the request may have to be decided twice.
        var parsed: (body: JSONObject, secret: SharedSecret?)?
        var isAdmitted = false
        defer { parsed?.secret?.wipe() }
        let reply = try await board.deciding(isFault: \.isFault) { () async throws(AWSError) -> AWSReply in
            let principal = try await authenticate(claim, for: service, request)
            meter.authenticated()
            let call = call(target.operation, of: service, by: principal, request, requestID: requestID)
            // It records what it turns away itself, at its own pace.
            if !isAdmitted { try await admit(call, of: service) }
            isAdmitted = true
            return try await recorder.recording(call) { () async throws(AWSError) in
                try ProcessCertificates.check(principal, on: request, identity: recorder.identity)
                let (body, secret) =
                    if let parsed { parsed } else {
                        try Self.body(
                            of: request, secretMember: service.secretMembers[target.operation], limits: service.bodyLimits)
                    }
                parsed = (body, secret)
                return try await service.handle(
                    operation: target.operation,
                    request: AuthenticatedRequest(
                        principal: principal, circumstances: call.circumstances, requestID: requestID,
                        userAgent: call.userAgent, claim: claim, body: body, secret: secret))
            }
        }
        meter.answered(logger: logger)
        switch reply {
        case .json(let object): return .json(object)
        case .secretJSON(let body): return .secretJSON(body)
        case .empty: return .empty
        case .xml: throw .internalFailure()
        }
    }

    private func respondInXML(
        to request: AWSRequest, requestID: String, _ meter: RequestMeter
    ) async throws(AWSError) -> AWSResponse {
        guard request.isAtRoot, request.method == "POST" || request.method == "GET" else { throw .unknownOperation() }
        let claim = try SignedRequestClaim(parsing: request)
        guard let service = queryServices[claim.scope.service] else {
            throw .invalidSignature("Credential should be scoped to correct service.")
        }
        do {
            return try await respond(of: service, claim, to: request, requestID: requestID, meter)
        } catch {
            finish(meter, error)
            return .queryError(error, namespace: Self.namespace(of: service), requestID: requestID)
        }
    }

    private func respond(
        of service: any AuthorityService, _ claim: SignedRequestClaim, to request: AWSRequest, requestID: String,
        _ meter: RequestMeter
    ) async throws(AWSError) -> AWSResponse {
        let parameters: QueryParameters
        var malformed: AWSError?
        do { parameters = try QueryParameters(of: request) } catch { (parameters, malformed) = (QueryParameters([:]), error) }
        let operation = parameters["Action"] ?? ""
        meter.isOf(service: service.signingName, operation: service.knows(operation: operation) ? operation : nil)
        guard case .query(let version, let namespace) = service.route else { throw .internalFailure() }
        var isAdmitted = false
        let reply = try await board.deciding(isFault: \.isFault) { () async throws(AWSError) -> AWSReply in
            let principal = try await authenticate(claim, for: service, request)
            meter.authenticated()
            let call = call(operation, of: service, by: principal, request, requestID: requestID)
            if !isAdmitted { try await admit(call, of: service) }
            isAdmitted = true
            return try await recorder.recording(call) { () async throws(AWSError) in
                try ProcessCertificates.check(principal, on: request, identity: recorder.identity)
                if let malformed { throw malformed }
                guard parameters["Version"] == version, !operation.isEmpty else {
                    throw .unknownOperation("The action or version is not known.")
                }
                return try await service.handle(
                    operation: operation,
                    request: AuthenticatedRequest(
                        principal: principal, circumstances: call.circumstances, requestID: requestID,
                        userAgent: call.userAgent, claim: claim, parameters: parameters))
            }
        }
        guard case .xml(let result) = reply else { throw .internalFailure() }
        meter.answered(logger: logger)
        var writer = XMLWriter()
        // The service knows the operation by now, so that its name is safe as that of an element.
        writer.element(operation + "Response", namespace: namespace) { response in
            response.element(operation + "Result") { result(&$0) }
            response.element("ResponseMetadata") { $0.element("RequestId", requestID) }
        }
        return .xml(writer.bytes)
    }

    /// The secret goes from the bytes that were received straight into locked memory; what came over the wire is overwritten.
    private static func body(
        of request: AWSRequest, secretMember: String?, limits: JSONLimits
    ) throws(AWSError) -> (JSONObject, SharedSecret?) {
        guard let secretMember else { return (try JSONObject.parseBody(request.body, limits: limits), nil) }
        let secret: SharedSecret?
        let rest: [UInt8]
        do {
            (secret, rest) =
                try request.secretBody.map { body in
                    try body.withUnsafeBytes { try SecretMember.extract(secretMember, from: $0) }
                } ?? request.body.withUnsafeBytes { try SecretMember.extract(secretMember, from: $0) }
        } catch let error as JSONError {
            throw .serialization("\(error)", cause: error)
        } catch {
            throw .internalFailure(cause: error)
        }
        request.secretBody?.wipe()
        let object = try JSONObject.parseBody(rest, limits: limits)
        // Under a name written with escapes it would have been parsed as text.
        guard secret != nil || object[secretMember] == nil else {
            throw .serialization("The member \(secretMember) is not one string of base64.")
        }
        return (object, secret)
    }

    /// Every call makes secrets: that of the caller's access key at least.
    private func admit() throws(AWSError) {
        do {
            try SecretMemory.admit()
        } catch {
            throw .serviceUnavailable(cause: error)
        }
    }

    private func authenticate(
        _ claim: SignedRequestClaim, for service: any AuthorityService, _ request: AWSRequest
    ) async throws(AWSError) -> Principal {
        do {
            return try await authenticator.authenticate(claim, service: service.signingName, now: request.receivedAt)
        } catch {
            if !error.isRetriable { Measure.count(.signaturesRefused, [("code", error.code)]) }
            throw error
        }
    }

    private func admit(_ call: CallRecorder.Call, of service: any AuthorityService) async throws(AWSError) {
        try await admission?.admit(
            call.operation, of: service, by: call.principal, .init(circumstances: call.circumstances, requestID: call.requestID))
    }

    private func call(
        _ operation: String, of service: any AuthorityService, by principal: Principal, _ request: AWSRequest, requestID: String
    ) -> CallRecorder.Call {
        .init(
            principal: principal, signingName: service.signingName, operation: operation,
            circumstances: circumstances(of: request), userAgent: userAgent(of: request), requestID: requestID)
    }

    private func circumstances(of request: AWSRequest) -> RequestCircumstances {
        RequestCircumstances(
            time: request.receivedAt, sourceIP: request.sourceAddress, isSecureTransport: request.isSecureTransport,
            region: region, userAgent: userAgent(of: request))
    }

    private func userAgent(of request: AWSRequest) -> String {
        String((request.header("user-agent") ?? "").unicodeScalars.prefix(Self.maximumUserAgentCharacters))
    }

    private static func namespace(of service: (any AuthorityService)?) -> String {
        if case .query(_, let namespace)? = service?.route { namespace } else { "" }
    }

    /// Causes go to the log and nowhere else.
    private func finish(_ meter: RequestMeter, _ error: AWSError) {
        meter.answered(error.code, logger: logger)
        guard error.status >= 500 else { return }
        let cause = error.cause.map { "\($0)" } ?? "none given"
        logger.error("request failed", metadata: [LogField.code: "\(error.code)", LogField.cause: "\(cause)"])
    }
}

extension AWSError {
    fileprivate var isFault: Bool { status >= 500 }
}

extension AWSRequest {
    fileprivate var isAtRoot: Bool { path == "/" || path.isEmpty }
}
