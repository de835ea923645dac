package import AWSProtocol
import Secrets
import Telemetry
import TransportSecurity

package import struct FoundationEssentials.Date

/// Signs, sends and repeats the calls of one service at one endpoint; the clients of the services are thin over it.
package struct AWSCaller: Sendable {
    /// What of the surroundings decides on repeating; a test brings its own.
    package struct Surroundings: Sendable {
        package var now: @Sendable () -> Date
        package var uptime: @Sendable () -> ContinuousClock.Instant
        package var sleep: @Sendable (Duration) async throws -> Void
        /// From 0..<1.
        package var jitter: @Sendable () -> Double

        package init(
            now: @escaping @Sendable () -> Date = { Date() },
            uptime: @escaping @Sendable () -> ContinuousClock.Instant = { .now },
            sleep: @escaping @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) },
            jitter: @escaping @Sendable () -> Double = { Double.random(in: 0..<1) }
        ) {
            self.now = now
            self.uptime = uptime
            self.sleep = sleep
            self.jitter = jitter
        }
    }

    enum Body {
        case bytes([UInt8])
        case secret(SharedSecret)
    }

    let configuration: AWSClientConfiguration
    private let transport: any AWSTransport
    private let signingName: String
    private let surroundings: Surroundings

    package init(
        configuration: AWSClientConfiguration, transport: any AWSTransport, signingName: String,
        surroundings: Surroundings = .init()
    ) {
        self.configuration = configuration
        self.transport = transport
        self.signingName = signingName
        self.surroundings = surroundings
    }

    /// Calls an operation of a JSON service. `extraHeaders` that begin with `x-amz-` are signed.
    package func json(
        target: String, body: JSONObject, extraHeaders: [(String, String)] = []
    ) async throws(AWSError) -> JSONObject {
        let headers = [("X-Amz-Target", target), ("Content-Type", "application/x-amz-json-1.1")] + extraHeaders
        return try await json(headers: headers, body: .bytes(body.serialized()))
    }

    /// Calls an operation with one more member, a secret in base64: the request's body is made in locked memory and wiped.
    func json(
        target: String, body: JSONObject, secretMember: String, secret: SharedSecret
    ) async throws(AWSError) -> JSONObject {
        try admit()
        let text: SharedSecret
        do {
            text = try secret.withUnsafeBytes { body.serialized(secretMember: secretMember, $0) }
        } catch {
            throw .internalFailure(cause: error)
        }
        defer { text.wipe() }
        return try await json(
            headers: [("X-Amz-Target", target), ("Content-Type", "application/x-amz-json-1.1")], body: .secret(text))
    }

    private func json(headers: [(String, String)], body: Body) async throws(AWSError) -> JSONObject {
        try await repeating { () async throws(AWSError) -> JSONObject in
            let answer = try await attempt(headers: headers, body: body, expectsSecret: false)
            guard case .bytes(let bytes) = answer.body else { throw .malformedAnswer() }
            guard answer.status == 200 else { throw AnswerError.json(status: answer.status, body: bytes) }
            return try AnswerError.reading(bytes)
        }
    }

    /// Calls an operation whose answer holds a data key in the member `secretMember`.
    func json(
        target: String, body: JSONObject, secretMember: String
    ) async throws(AWSError) -> (secret: SharedSecret, rest: JSONObject) {
        try admit()
        let headers = [("X-Amz-Target", target), ("Content-Type", "application/x-amz-json-1.1")]
        let body = Body.bytes(body.serialized())
        return try await repeating { () async throws(AWSError) -> (secret: SharedSecret, rest: JSONObject) in
            let answer = try await attempt(headers: headers, body: body, expectsSecret: true)
            guard case .secret(let text) = answer.body else { throw .malformedAnswer() }
            defer { text.wipe() }
            guard answer.status == 200 else { throw AnswerError.json(status: answer.status, secretBody: text, secretMember) }
            let (secret, rest) = try AnswerError.extracting(secretMember, from: text)
            guard let secret else { throw .malformedAnswer() }
            return (secret, try AnswerError.reading(rest))
        }
    }

    /// Calls an operation of a Query service.
    package func query(
        _ parameters: QueryParameters, extraHeaders: [(String, String)] = []
    ) async throws(AWSError) -> XMLElement {
        let headers = [("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")] + extraHeaders
        let body = Body.bytes(parameters.formBody())
        return try await repeating { () async throws(AWSError) -> XMLElement in
            let answer = try await attempt(headers: headers, body: body, expectsSecret: false)
            guard case .bytes(let bytes) = answer.body else { throw .malformedAnswer() }
            guard answer.status == 200 else { throw AnswerError.query(status: answer.status, body: bytes) }
            guard let element = XMLReader.parse(bytes) else { throw .malformedAnswer() }
            return element
        }
    }

    func repeating<R: Sendable>(
        _ body: () async throws(AWSError) -> R
    ) async throws(AWSError) -> R {
        let start = surroundings.uptime()
        var made = 0
        while true {
            let failure: AWSError
            do {
                return try await body()
            } catch {
                failure = error
            }
            made += 1
            let pause = configuration.retries.pause(
                after: failure, attempts: made, elapsed: surroundings.uptime() - start,
                limit: configuration.totalTimeout, jitter: surroundings.jitter())
            guard let pause else { throw failure }
            do {
                try await surroundings.sleep(pause)
            } catch {
                throw .callCancelled
            }
        }
    }

    private func admit() throws(AWSError) {
        do {
            try SecretMemory.admit()
        } catch {
            throw .serviceUnavailable("There is no locked memory for a secret.", cause: error)
        }
    }

    private func attempt(
        headers: [(String, String)], body: Body, expectsSecret: Bool
    ) async throws(AWSError) -> AWSTransportAnswer {
        var request = AWSRequest(headers: headers, receivedAt: surroundings.now())
        switch body {
        case .bytes(let bytes): request.body = bytes
        case .secret(let secret): request.secretBody = secret
        }
        return try await attempt(
            request, endpoint: configuration.endpoint, timeout: configuration.attemptTimeout, expectsSecret: expectsSecret)
    }

    /// One attempt of a request that lacks nothing but `Host`, `User-Agent` and what signing adds.
    func attempt(
        _ made: AWSRequest, endpoint: String, timeout: Duration, bodyHash: String? = nil, expectsSecret: Bool = false
    ) async throws(AWSError) -> AWSTransportAnswer {
        let credentials: AWSCredentials
        do {
            credentials = try await configuration.credentials.credentials()
        } catch let error as AWSError {
            throw error
        } catch {
            throw error is CancellationError ? .callCancelled : .internalFailure(cause: error)
        }
        var request = made
        request.headers =
            [("Host", Endpoint.host(of: endpoint)), ("User-Agent", configuration.userAgent)] + made.headers
        // Not signed: it says where the call belongs in a log and nothing about what it may do.
        if let trace = TraceContext.current { request.headers.append((TraceContext.headerName, trace.text)) }
        try SigV4Signer(credentials: credentials, region: configuration.region, service: signingName)
            .sign(&request, at: surroundings.now(), bodyHash: bodyHash)
        do {
            return try await transport.send(
                AWSTransportCall(
                    endpoint: endpoint, request: request, timeout: timeout, expectsSecret: expectsSecret))
        } catch {
            if error is CancellationError || Task.isCancelled { throw .callCancelled }
            if let explanation = TLSFailure.explanation(of: error) {
                throw .serviceUnavailable(
                    "No TLS connection to \(configuration.endpoint): \(explanation).",
                    cause: TLSConnectionFailure(explanation: explanation, cause: error))
            }
            throw .serviceUnavailable("The endpoint did not answer.", cause: error)
        }
    }
}
