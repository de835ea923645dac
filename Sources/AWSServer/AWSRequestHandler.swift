package import AWSProtocol

/// Answers the requests of an edge. Signatures are not checked yet; whatever goes wrong becomes an answer.
package protocol AWSRequestHandler: Sendable {
    /// `requestID` is the one that the answer's `x-amzn-RequestId` will have.
    func respond(to request: AWSRequest, requestID: String) async -> AWSResponse
}
