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

    package init(endpoint: String, request: AWSRequest, timeout: Duration, expectsSecret: Bool = false) {
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
    /// In the order received.
    package let headers: [(String, String)]
    package let body: Body

    package init(status: Int, headers: [(String, String)] = [], body: Body) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    /// The value of the first header of that name, any case.
    package func header(_ name: String) -> String? {
        headers.first { $0.0.isEqualIgnoringASCIICase(to: name) }?.1
    }
}
