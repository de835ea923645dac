import AWSProtocol

import struct FoundationEssentials.Date

/// A request of a REST service, without what signing adds.
struct RESTRequest: Sendable {
    var method: String
    /// `https://bucket.s3.us-west-2.amazonaws.com`, without path.
    var endpoint: String
    /// Percent-encoded.
    var path: String
    /// Not encoded, in any order.
    var query: [(String, String)] = []
    var headers: [(String, String)] = []
    var body: [UInt8] = []

    var rawQuery: String {
        query.map { PercentEncoding.encode($0.0) + "=" + PercentEncoding.encode($0.1) }.joined(separator: "&")
    }
}

extension AWSCaller {
    /// Calls an operation of a REST service. The signature covers the hash of the body that is sent: there is no unsigned one.
    ///
    /// - Parameters:
    ///   - timeout: of one attempt.
    ///   - read: makes the result of an answer, or the error that it stands for.
    func rest<R: Sendable>(
        _ request: RESTRequest, timeout: Duration, read: (AWSTransportAnswer) throws(AWSError) -> R
    ) async throws(AWSError) -> R {
        let bodyHash = SigV4Signer.bodyHash(request.body)
        let made = AWSRequest(
            method: request.method, path: request.path, rawQuery: request.rawQuery,
            headers: request.headers + [("X-Amz-Content-Sha256", bodyHash)], body: request.body, receivedAt: Date())
        return try await repeating { () async throws(AWSError) -> R in
            try read(try await attempt(made, endpoint: request.endpoint, timeout: timeout, bodyHash: bodyHash))
        }
    }
}
