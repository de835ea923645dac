package import AWSProtocol
package import Secrets

/// Carries one signed request to an endpoint and brings the answer: the seam at which a client's tests stand in for the
/// network.
package protocol AWSTransport: Sendable {
    /// Throws an error of which the client knows nothing but that no whole answer came.
    func send(_ call: AWSTransportCall) async throws -> AWSTransportAnswer
}

package struct AWSTransportCall: Sendable {
    /// As in `AWSClientConfiguration`.
    package let endpoint: String
    package let request: AWSRequest
    package let timeout: Duration
    /// The answer holds a data key: it is read into locked memory and nowhere else.
    package let expectsSecret: Bool

    package init(endpoint: String, request: AWSRequest, timeout: Duration, expectsSecret: Bool) {
        self.endpoint = endpoint
        self.request = request
        self.timeout = timeout
        self.expectsSecret = expectsSecret
    }
}

package struct AWSTransportAnswer: Sendable {
    package enum Body: Sendable {
        case bytes([UInt8])
        case secret(SharedSecret)
    }

    package let status: Int
    package let body: Body

    package init(status: Int, body: Body) {
        self.status = status
        self.body = body
    }
}
