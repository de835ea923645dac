import AWSProtocol
import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import Secrets
import Synchronization
package import TransportSecurity

/// Carries calls over HTTP/1.1 on kept connections; follows no redirects. One for a process: clients share it.
package final class HTTPTransport: AWSTransport {
    /// Longest answer that is read.
    package static let maximumAnswerBytes = 8 << 20
    /// Longest answer with a data key.
    package static let maximumSecretAnswerBytes = 64 << 10

    /// The connections that were made with one set of certificates. A call keeps them until it is over, so that they are closed when
    /// the last one is.
    private final class Connections: Sendable {
        let client: HTTPClient
        let generation: Int

        init(_ configuration: HTTPClient.Configuration, generation: Int) {
            client = HTTPClient(eventLoopGroup: HTTPClient.defaultEventLoopGroup, configuration: configuration)
            self.generation = generation
        }

        deinit { client.shutdown { _ in } }
    }

    private let configuration: HTTPClient.Configuration
    private let tls: ClientTLS?
    private let connections: Mutex<Connections>

    /// - Parameter tls: whom `https` endpoints are believed to be, and what is shown to them; nil believes the system's
    ///   authorities and shows nothing.
    package init(tls: ClientTLS? = nil, connectTimeout: Duration = .seconds(2), connections: Int = 64) {
        var configuration = HTTPClient.Configuration(
            redirectConfiguration: .disallow, timeout: .init(connect: TimeAmount(connectTimeout)))
        // Our servers offer HTTP/2 too. One connection for each event loop would put all calls of a worker behind one stream of TCP, where
        // one lost packet holds up all of them, and what the pool does about connections that fail is proven with HTTP/1.1.
        configuration.httpVersion = .http1Only
        // Shorter than any server's idle time, so that a connection is not taken while it is being closed.
        configuration.connectionPool.idleTimeout = .seconds(20)
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = connections
        // The caller's own policy decides on trying again.
        configuration.connectionPool.retryConnectionEstablishment = false
        self.configuration = configuration
        self.tls = tls
        let first = tls?.current
        configuration.tlsConfiguration = first?.value
        self.connections = Mutex(Connections(configuration, generation: first?.generation ?? 0))
    }

    /// Those of the certificates that are in the files now.
    private func currentConnections() -> Connections {
        guard let tls else { return connections.withLock { $0 } }
        let current = tls.current
        return connections.withLock { connections in
            // A slower caller may come with an older one.
            guard current.generation > connections.generation else { return connections }
            var configuration = configuration
            configuration.tlsConfiguration = current.value
            connections = Connections(configuration, generation: current.generation)
            return connections
        }
    }

    package func send(_ call: AWSTransportCall) async throws -> AWSTransportAnswer {
        var request = HTTPClientRequest(
            url: call.endpoint + call.request.path + (call.request.rawQuery.isEmpty ? "" : "?" + call.request.rawQuery))
        request.method = HTTPMethod(rawValue: call.request.method)
        request.headers = HTTPHeaders(call.request.headers)
        let secretBody = try call.request.secretBody.map { try $0.withUnsafeBytes { ByteBuffer(bytes: $0) } }
        // Once the call is over, whether or not it was sent to its end.
        defer { secretBody?.overwrite() }
        request.body = .bytes(secretBody ?? ByteBuffer(bytes: call.request.body))
        let connections = currentConnections()
        defer { withExtendedLifetime(connections) {} }
        let response = try await connections.client.execute(request, deadline: .now() + TimeAmount(call.timeout))
        let status = Int(response.status.code)
        if call.expectsSecret {
            return AWSTransportAnswer(status: status, body: .secret(try await Self.readSecret(response.body)))
        }
        let buffer = try await response.body.collect(upTo: Self.maximumAnswerBytes)
        return AWSTransportAnswer(
            status: status, headers: response.headers.map { ($0.name, $0.value) }, body: .bytes(Array(buffer.readableBytesView)))
    }

    /// Each piece is moved to locked memory and its source overwritten before the next is waited for; the pieces are then put
    /// together there.
    private static func readSecret(_ body: HTTPClientResponse.Body) async throws -> SharedSecret {
        var pieces: [SharedSecret] = []
        var count = 0
        defer { for piece in pieces { piece.wipe() } }
        for try await piece in body {
            count += piece.readableBytes
            pieces.append(moveToLockedMemory(piece))
            guard count <= maximumSecretAnswerBytes else { throw NIOTooManyBytesError(maxBytes: maximumSecretAnswerBytes) }
        }
        var offset = 0
        let whole = try SecretBytes(count: count) { target in
            for piece in pieces {
                try piece.withUnsafeBytes { source in
                    UnsafeMutableRawBufferPointer(rebasing: target[offset...]).copyMemory(from: source)
                    offset += source.count
                }
            }
        }
        return SharedSecret(whole)
    }

    private static func moveToLockedMemory(_ piece: ByteBuffer) -> SharedSecret {
        defer { piece.overwrite() }
        return piece.withUnsafeReadableBytes { SharedSecret(SecretBytes(copying: $0)) }
    }
}
