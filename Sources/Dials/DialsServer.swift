import AWSServer
package import Logging
import ServiceLifecycle

/// The listener of a process's dials, on a port of its own: plain HTTP, no authentication, and so nothing behind it that
/// says more than that.
///
/// A port that cannot be had is no reason for a process to end: it is logged, and tried again.
package struct DialsServer: Service {
    static let retryAfter: Duration = .seconds(5)

    private let host: String
    private let port: Int
    private let readiness: Readiness
    private let handler: DialsHandler
    private let logger: Logger
    private let onBound: @Sendable (Int) async -> Void

    /// - Parameter port: 0 takes a free one, which `onBound` is told.
    package init(
        host: String, port: Int, readiness: Readiness, handler: DialsHandler, logger: Logger,
        onBound: @escaping @Sendable (Int) async -> Void
    ) {
        self.host = host
        self.port = port
        self.readiness = readiness
        self.handler = handler
        self.logger = logger
        self.onBound = onBound
    }

    package func run() async throws {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await readiness.run() }
            while !Task.isCancelled {
                do {
                    try await server.run()
                    break
                } catch let error as AWSServerError where error.isRetriable {
                    logger.error("the dials cannot be served", metadata: ["error": "\(error)"])
                    guard await Self.pause() else { break }
                } catch {
                    if !(error is CancellationError) {
                        logger.error("the dials are not served", metadata: ["error": "\(error)"])
                        // The rest of the process goes on; this service must not end before it.
                        try? await gracefulShutdown()
                    }
                    break
                }
            }
            group.cancelAll()
        }
    }

    /// False where the process is to end.
    private static func pause() async -> Bool {
        await cancelWhenGracefulShutdown { (try? await Task.sleep(for: retryAfter)) != nil }
    }

    private var server: AWSServer {
        // Whoever sets another host than loopback wants to be reached from there.
        var configuration = AWSServerConfiguration(host: host, port: port, allowsPlainText: true)
        configuration.bounds.headerBytes = 8 << 10
        configuration.bounds.bodyBytes = 1
        configuration.bounds.connections = 32
        return AWSServer(configuration: configuration, handler: handler, logger: logger, onBound: onBound)
    }
}

/// Put last in a group of services: the first to hear that the process is to end, it says so to whoever asks for readiness.
package struct StopSign: Service {
    private let readiness: Readiness

    package init(_ readiness: Readiness) { self.readiness = readiness }

    package func run() async throws {
        try? await gracefulShutdown()
        await readiness.stop()
    }
}
