import HummingbirdCore
package import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle

/// The edge that the Forecast API and the authority share, over TLS where it has a certificate: it hands whole requests to a handler, as
/// they came over the wire, and nothing beyond its bounds. Over TLS a client may choose HTTP/2; else HTTP/1.1 is spoken.
///
/// `GET /healthz` is answered here. On graceful shutdown no connection is accepted, idle ones are closed, and requests being
/// answered are answered.
package struct AWSServer: Service {
    private let configuration: AWSServerConfiguration
    private let handler: any AWSRequestHandler
    private let logger: Logger
    private let onBound: @Sendable (Int) async -> Void

    /// `onBound` is told the port once connections are accepted.
    package init(
        configuration: AWSServerConfiguration, handler: any AWSRequestHandler, logger: Logger,
        onBound: @escaping @Sendable (_ port: Int) async -> Void = { _ in }
    ) {
        self.configuration = configuration
        self.handler = handler
        self.logger = logger
        self.onBound = onBound
    }

    package func run() async throws {
        try configuration.validate()
        let connection = HTTPConnection(
            bounds: configuration.bounds, handler: handler,
            registry: ConnectionRegistry(limit: configuration.bounds.connections),
            answersOnEventLoop: configuration.answersOnEventLoop, tls: configuration.tls)
        let port = configuration.port
        let server = Server(
            childChannelSetup: connection,
            configuration: ServerConfiguration(address: .hostname(configuration.host, port: port), backlog: 1024),
            onServerRunning: { [onBound] in await onBound($0.localAddress?.port ?? port) },
            eventLoopGroup: MultiThreadedEventLoopGroup.singleton, logger: logger)
        do {
            try await server.run()
        } catch let error as CancellationError {
            throw error
        } catch {
            throw AWSServerError(
                code: .bind, message: "Cannot listen on \(configuration.host):\(port).", cause: error)
        }
    }
}
