package import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle
import Synchronization

/// A TCP proxy on loopback between two parts of a cluster, which does to their connections what it is told, at any time.
///
/// It knows nothing of what passes through it. Bounded: ``connectionsMax`` connections, `ShapedPipe.waitingBytesMax` bytes each
/// way.
package final class FaultProxy: Service {
    package static let connectionsMax = 4096

    package enum Direction: String, Sendable, CaseIterable {
        /// From who connects to what it connects to.
        case up
        case down
    }

    package struct Upstream: Sendable, Hashable {
        fileprivate enum Place: Hashable {
            case address(host: String, port: Int)
            case socket(String)
        }

        fileprivate let place: Place

        package init(host: String, port: Int) { place = .address(host: host, port: port) }

        /// A Unix socket by its path.
        package init(socket path: String) { place = .socket(path) }
    }

    /// Connections on which these bytes go up are reset when the answer to them comes: what was asked for happened, and who
    /// asked is never told.
    private struct Severance {
        var bytes: [UInt8]
        var remaining: Int
    }

    private struct State {
        var severance: Severance?
        var severed = 0
        var toxics: [Direction: Toxics] = [.up: .none, .down: .none]
        var isDown = false
        var accepted: UInt64 = 0
        var connections: [UInt64: (channel: any Channel, pipes: NIOLoopBound<[ShapedPipe]>)] = [:]
    }

    package let upstream: Upstream
    private let listenPort: Int
    private let listenSocket: String?
    private let seed: UInt64
    private let logger: Logger
    private let onBound: @Sendable (Int) async -> Void
    private let state = Mutex(State())

    /// `onBound` is told the port once connections are accepted; `port` 0 takes a free one. With `socket` the proxy listens on
    /// a Unix socket instead, whose folder says who may connect, and the port is nought.
    package init(
        to upstream: Upstream, port: Int = 0, socket: String? = nil, seed: UInt64, logger: Logger,
        onBound: @escaping @Sendable (_ port: Int) async -> Void
    ) {
        self.upstream = upstream
        listenPort = port
        listenSocket = socket
        self.seed = seed
        self.logger = logger
        self.onBound = onBound
    }

    /// Applies to connections that are open, too.
    package func set(_ toxics: Toxics, _ directions: Direction...) {
        change { state in for direction in directions { state.toxics[direction] = toxics } }
    }

    /// Refuses new connections and resets those that are open, until `heal`.
    package func takeDown() {
        state.withLock { $0.isDown = true }
        resetAll()
    }

    /// Lets everything through again.
    package func heal() {
        change { state in
            state.toxics = [.up: .none, .down: .none]
            state.isDown = false
            state.severance = nil
        }
    }

    /// The next `times` connections on which `bytes` go up, in one piece, lose the answer and are reset.
    package func severAnswers(to bytes: [UInt8], times: Int) {
        precondition(!bytes.isEmpty && times >= 0, "There is something to look for.")
        state.withLock { $0.severance = Severance(bytes: bytes, remaining: times) }
    }

    /// How many connections lost an answer so.
    package var severedAnswers: Int { state.withLock { $0.severed } }

    package func resetAll() {
        forEachPipe { $0.reset() }
    }

    package var openConnections: Int { state.withLock { $0.connections.count } }

    package func run() async throws {
        let bootstrap = ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.backlog, value: 256)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.autoRead, value: false)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelInitializer { self.accept($0) }
        let channel =
            if let listenSocket {
                try await bootstrap.bind(unixDomainSocketPath: listenSocket, cleanupExistingSocketFile: true).get()
            } else {
                try await bootstrap.bind(host: "127.0.0.1", port: listenPort).get()
            }
        await onBound(channel.localAddress?.port ?? listenPort)
        try await withTaskCancellationOrGracefulShutdownHandler {
            try await channel.closeFuture.get()
        } onCancelOrGracefulShutdown: {
            channel.close(promise: nil)
        }
        resetAll()
    }

    private func change(_ body: (inout State) -> Void) {
        state.withLock { body(&$0) }
        forEachPipe { $0.toxicsChanged() }
    }

    private func forEachPipe(_ body: @escaping @Sendable (ShapedPipe) -> Void) {
        for connection in state.withLock({ Array($0.connections.values) }) {
            connection.channel.eventLoop.execute { connection.pipes.value.forEach(body) }
        }
    }

    private func admit() -> UInt64? {
        state.withLock { state in
            guard !state.isDown, state.connections.count < Self.connectionsMax else { return nil }
            state.accepted += 1
            return state.accepted
        }
    }

    /// Connects to the upstream on the same event loop, then lets both directions read.
    private func accept(_ client: any Channel) -> EventLoopFuture<Void> {
        guard let number = admit() else { return client.close() }
        let pipes = [Direction.up, .down].map { direction in
            ShapedPipe(seed: seed ^ (number << 1) ^ (direction == .up ? 0 : 1)) { [weak self] in
                self?.state.withLock { $0.toxics[direction] } ?? Toxics.none
            }
        }
        pipes[0].onArrival = { [weak self, weak down = pipes[1]] bytes in
            if self?.severs(bytes) == true { down?.isSevered = true }
        }
        let bound = NIOLoopBound(pipes, eventLoop: client.eventLoop)
        state.withLock { $0.connections[number] = (client, bound) }
        client.closeFuture.whenComplete { _ in self.forget(number) }
        return client.eventLoop.makeCompletedFuture { try client.pipeline.syncOperations.addHandler(bound.value[0]) }
            .map {
                // Not waited for: the initializer's future would hold the acceptance of others.
                self.reach(client, bound)
            }
    }

    /// Whether the answer to these bytes is to be lost.
    private func severs(_ bytes: ByteBuffer) -> Bool {
        state.withLock { state in
            guard let severance = state.severance, severance.remaining > 0,
                bytes.readableBytesView.firstRange(of: severance.bytes) != nil
            else { return false }
            state.severance?.remaining -= 1
            state.severed += 1
            return true
        }
    }

    private func forget(_ number: UInt64) {
        state.withLock { $0.connections[number] = nil }
    }

    private func reach(_ client: any Channel, _ pipes: NIOLoopBound<[ShapedPipe]>) {
        let bootstrap = ClientBootstrap(group: client.eventLoop)
            .channelOption(.autoRead, value: false)
            .channelOption(.allowRemoteHalfClosure, value: true)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(pipes.value[1]) }
            }
        let connection =
            switch upstream.place {
            case .address(let host, let port): bootstrap.connect(host: host, port: port)
            case .socket(let path): bootstrap.connect(unixDomainSocketPath: path)
            }
        connection.whenComplete { [logger] result in
            switch result {
            case .success(let server):
                server.closeFuture.whenComplete { _ in client.close(promise: nil) }
                client.closeFuture.whenComplete { _ in server.close(promise: nil) }
                pipes.value[0].connect(to: server)
                pipes.value[1].connect(to: client)
            case .failure(let error):
                logger.debug("the upstream cannot be reached", metadata: ["error": "\(error)"])
                client.close(promise: nil)
            }
        }
    }
}
