import AWSClients
import AWSProtocol
import AWSServer
import FoundationEssentials
import Logging
import Secrets
import Synchronization
import Testing

enum Samples {
    static let secret = Redacted("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
    static let credentials = AWSCredentials(accessKeyID: "AKIAIOSFODNN7EXAMPLE", secretAccessKey: secret)
    static let keyARN = "arn:aws:kms:us-west-2:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"

    static func configuration(endpoint: String = "http://127.0.0.1:1", attempts: Int = 4) -> AWSClientConfiguration {
        AWSClientConfiguration(
            endpoint: endpoint, region: "us-west-2", credentials: StaticCredentials(credentials), userAgent: "test/1",
            retries: RetryPolicy(attempts: attempts))
    }
}

/// A service that verifies every signature as the authority does, and then answers.
struct VerifyingHandler: AWSRequestHandler {
    let service: String
    let secretTargets: Set<String> = ["TrentService.Encrypt"]
    let body: @Sendable (AWSRequest) async throws -> AWSResponse

    func respond(to request: AWSRequest, requestID: String) async -> AWSResponse {
        do {
            let claim = try SignedRequestClaim(parsing: request)
            try SigV4Verifier(region: "us-west-2").verify(claim, service: service, secret: Samples.secret, now: Date())
            return try await body(request)
        } catch {
            return .error(error as? AWSError ?? .internalFailure(cause: error))
        }
    }
}

/// Runs a service on a free port for the time of a test.
func withService<R: Sendable>(
    _ service: String, _ handler: @escaping @Sendable (AWSRequest) async throws -> AWSResponse,
    _ body: @Sendable (AWSClientConfiguration) async throws -> R
) async throws -> R {
    let (ports, bound) = AsyncStream.makeStream(of: Int.self)
    var logger = Logger(label: "test")
    logger.logLevel = .critical
    let server = AWSServer(
        configuration: AWSServerConfiguration(), handler: VerifyingHandler(service: service, body: handler), logger: logger,
        onBound: { bound.yield($0) })
    return try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await server.run() }
        var iterator = ports.makeAsyncIterator()
        let port = try #require(await iterator.next())
        var configuration = Samples.configuration(endpoint: "http://127.0.0.1:\(port)", attempts: 1)
        (configuration.attemptTimeout, configuration.totalTimeout) = (.seconds(60), .seconds(120))
        let result = try await body(configuration)
        group.cancelAll()
        return result
    }
}

/// Gives the answers of a script, one a call, and remembers the calls.
final class ScriptedTransport: AWSTransport {
    enum Step: Sendable {
        case answer(Int, String)
        case failure
    }

    struct Failure: Error {}

    private let state: Mutex<(steps: [Step], calls: [AWSTransportCall])>

    init(_ steps: [Step]) { state = Mutex((steps, [])) }

    var calls: [AWSTransportCall] { state.withLock { $0.calls } }

    func send(_ call: AWSTransportCall) async throws -> AWSTransportAnswer {
        let step = state.withLock { state in
            state.calls.append(call)
            return state.steps.isEmpty ? nil : state.steps.removeFirst()
        }
        switch try #require(step, "There were more calls than steps") {
        case .failure: throw Failure()
        case .answer(let status, let text):
            let bytes = Array(text.utf8)
            guard call.expectsSecret else { return AWSTransportAnswer(status: status, body: .bytes(bytes)) }
            let secret = bytes.withUnsafeBytes { SharedSecret(SecretBytes(copying: $0)) }
            return AWSTransportAnswer(status: status, body: .secret(secret))
        }
    }
}

/// A clock that moves only when somebody sleeps.
final class TestSurroundings: Sendable {
    private let state = Mutex((pauses: [Duration](), uptime: ContinuousClock.now))
    var pauses: [Duration] { state.withLock { $0.pauses } }

    func caller(
        _ transport: any AWSTransport, signingName: String = "kms", jitter: Double = 0.5,
        change: (inout AWSClientConfiguration) -> Void = { _ in }
    ) -> AWSCaller {
        var configuration = Samples.configuration()
        change(&configuration)
        return AWSCaller(
            configuration: configuration, transport: transport, signingName: signingName,
            surroundings: .init(
                uptime: { self.state.withLock { $0.uptime } },
                sleep: { pause in
                    try Task.checkCancellation()
                    self.state.withLock { state in
                        state.pauses.append(pause)
                        state.uptime += pause
                    }
                }, jitter: { jitter }))
    }
}
