package import AWSProtocol

/// The private operations of the authority: who signed, and what of it is allowed.
package struct AuthorityClient: Sendable {
    private let caller: AWSCaller

    package init(configuration: AWSClientConfiguration, transport: any AWSTransport) {
        self.init(
            caller: AWSCaller(
                configuration: configuration, transport: transport, signingName: AuthorizeRequest.signingName))
    }

    package init(caller: AWSCaller) { self.caller = caller }

    /// Throws what the caller gets where its signature does not hold, and 5xx where the authority does not answer.
    package func authorize(_ request: AuthorizeRequest) async throws(AWSError) -> AuthorizeResponse {
        let answer = try await caller.json(
            target: "\(AuthorizeRequest.targetPrefix).\(AuthorizeRequest.operation)", body: request.json)
        let response: AuthorizeResponse
        do {
            response = try AuthorizeResponse(json: answer)
        } catch {
            throw .malformedAnswer(cause: error)
        }
        // One decision short would leave an action undecided, and somebody might take that for allowed.
        guard response.decisions.count == request.decisions.count else { throw .malformedAnswer() }
        return response
    }

    /// What the session that signs may do in a bucket; nil for each decision that is for it.
    package func decide(_ request: BucketAccessRequest) async throws(AWSError) -> [String?] {
        let answer = try await caller.json(
            target: "\(BucketAccessRequest.targetPrefix).\(BucketAccessRequest.operation)", body: request.json)
        let denials: [String?]
        do {
            denials = try BucketAccessResponse(json: answer).denials
        } catch {
            throw .malformedAnswer(cause: error)
        }
        // One short would leave something undecided.
        guard denials.count == request.decisions.count else { throw .malformedAnswer() }
        return denials
    }
}
