package import AWSProtocol

/// Answers the requests of an edge. Signatures are not checked yet; whatever goes wrong becomes an answer.
package protocol AWSRequestHandler: Sendable {
    /// Values of `X-Amz-Target` whose requests bring a secret: their bodies come as `secretBody`, and the buffers that they
    /// were received in are overwritten.
    var secretTargets: Set<String> { get }
    /// `requestID` is the one that the answer's `x-amzn-RequestId` will have.
    func respond(to request: AWSRequest, requestID: String) async -> AWSResponse
}

extension AWSRequestHandler {
    package var secretTargets: Set<String> { [] }
}
