import AWSProtocol
import AWSServer
import Logging
import NIOCore
import NIOPosix
import Testing
import TransportSecurity

/// A server on a free port for the time of a test.
enum TestServer {
    static func with<R: Sendable>(
        bounds: AWSServerBounds = .init(), tls: ServerTLS? = nil, secretTargets: Set<String> = [],
        handler: @escaping @Sendable (AWSRequest, String) async -> AWSResponse,
        _ body: @Sendable (Int) async throws -> R
    ) async throws -> R {
        let (ports, bound) = AsyncStream.makeStream(of: Int.self)
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let server = AWSServer(
            configuration: AWSServerConfiguration(tls: tls, bounds: bounds),
            handler: ClosureHandler(secretTargets: secretTargets, body: handler), logger: logger,
            onBound: {
                bound.yield($0)
                bound.finish()
            })
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await server.run() }
            var iterator = ports.makeAsyncIterator()
            let port = try #require(await iterator.next())
            let result = try await body(port)
            group.cancelAll()
            return result
        }
    }

    /// Answers `{"Length": …}` of the body.
    static let length: @Sendable (AWSRequest, String) async -> AWSResponse = { request, _ in
        .json(["Length": .int(Int64(request.body.count))])
    }
}

struct ClosureHandler: AWSRequestHandler {
    var secretTargets: Set<String> = []
    let body: @Sendable (AWSRequest, String) async -> AWSResponse

    func respond(to request: AWSRequest, requestID: String) async -> AWSResponse { await body(request, requestID) }
}

struct TimeLimit: Error, CustomStringConvertible {
    let description: String
}

/// Runs `body`, and fails naming what was waited for when it takes longer than two minutes.
func waiting<R: Sendable>(for what: String, _ body: @escaping @Sendable () async throws -> R) async throws -> R {
    try await withThrowingTaskGroup(of: R?.self) { group in
        group.addTask { try await body() }
        group.addTask {
            try await Task.sleep(for: .seconds(120))
            return nil
        }
        defer { group.cancelAll() }
        guard let result = try await group.next(), let result else { throw TimeLimit(description: "waited for \(what)") }
        return result
    }
}

/// A TCP connection that sends bytes as they are.
struct RawConnection: Sendable {
    let outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>
    let inbound: NIOAsyncChannelInboundStream<ByteBuffer>

    static func with<R: Sendable>(port: Int, _ body: @escaping @Sendable (RawConnection) async throws -> R) async throws -> R {
        try await waiting(for: "a connection's end") {
            let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .connect(host: "127.0.0.1", port: port) { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
                    }
                }
            return try await channel.executeThenClose { inbound, outbound in
                try await body(RawConnection(outbound: outbound, inbound: inbound))
            }
        }
    }

    /// Sends a text and returns everything that comes until the server closes.
    static func exchange(port: Int, _ text: String) async throws -> String {
        try await with(port: port) { connection in
            try await connection.send(text)
            return await connection.readToEnd()
        }
    }

    func send(_ text: String) async throws {
        try await outbound.write(ByteBuffer(string: text))
    }

    /// Reads until the server closes or resets; `onText` sees all that has come, each time that more comes.
    func readToEnd(onText: (String) async throws -> Void = { _ in }) async -> String {
        var text = ""
        do {
            for try await buffer in inbound {
                text += String(buffer: buffer)
                try await onText(text)
            }
        } catch {
            text += "<reset>"
        }
        return text
    }
}

/// Opened once; whoever waits goes on then.
actor Signal {
    private var isOpen = false
    private var waiters: [CheckedContinuation<Void, Never>] = []

    func open() {
        isOpen = true
        for waiter in waiters { waiter.resume() }
        waiters = []
    }

    func wait() async {
        if isOpen { return }
        await withCheckedContinuation { waiters.append($0) }
    }
}
