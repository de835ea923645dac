import FaultInjection
import Logging
import NIOCore
import NIOPosix
import ServiceTesting
import Testing

/// The proxy between real sockets: an echo behind it, a client before it.
@Suite struct FaultProxyTests {
    /// Sends back what it gets, and ends when its peer does.
    private final class Echo: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            context.writeAndFlush(data, promise: nil)
        }
    }

    private struct World: Sendable {
        let proxy: FaultProxy
        let port: Int

        func connect() async throws -> NIOAsyncChannel<ByteBuffer, ByteBuffer> {
            try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton).connect(host: "127.0.0.1", port: port) {
                channel in
                channel.eventLoop.makeCompletedFuture { try NIOAsyncChannel(wrappingChannelSynchronously: channel) }
            }
        }

        /// Sends `sent`; what comes back until there are `count` bytes or the end.
        func exchange(_ sent: [UInt8], count: Int? = nil) async throws -> [UInt8] {
            try await connect().executeThenClose { inbound, outbound in
                try await outbound.write(ByteBuffer(bytes: sent))
                var got: [UInt8] = []
                for try await bytes in inbound {
                    got += Array(bytes.readableBytesView)
                    if got.count >= count ?? sent.count { break }
                }
                return got
            }
        }
    }

    private func world<Answer: Sendable>(_ body: @escaping @Sendable (World) async throws -> Answer) async throws -> Answer {
        let echo = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(Echo()) }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        defer { echo.close(promise: nil) }
        let (ports, bound) = AsyncStream<Int>.makeStream()
        let proxy = FaultProxy(
            to: .init(host: "127.0.0.1", port: echo.localAddress?.port ?? 0), seed: 1, logger: Logger(label: "test")
        ) { bound.yield($0) }
        return try await with(proxy) {
            var iterator = ports.makeAsyncIterator()
            let port = try #require(await iterator.next())
            return try await body(World(proxy: proxy, port: port))
        }
    }

    private let content = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }

    @Test func everythingPassesUnchanged() async throws {
        let got = try await world { [content] in try await $0.exchange(content) }
        #expect(got == content)
    }

    @Test func slicesAndDelaysChangeNoByte() async throws {
        let got = try await world { [content] world in
            world.proxy.set(Toxics(latency: .milliseconds(5), jitter: .milliseconds(5), sliceBytes: 777), .up, .down)
            return try await world.exchange(content)
        }
        #expect(got == content)
    }

    @Test(arguments: [Toxics.Ending.reset, .close])
    func aConnectionEndsBehindTheBytesThatAreLetThrough(ending: Toxics.Ending) async throws {
        let got = try await world { [content] world -> Int in
            world.proxy.set(Toxics(ending: ending, endingAfterBytes: 1000), .down)
            do {
                return try await within("the end") { try await world.exchange(content).count }
            } catch is IOError {
                // A reset may overtake what was still on its way.
                #expect(ending == .reset)
                return 0
            }
        }
        #expect(got <= 1000)
    }

    @Test func aStalledConnectionGoesOnWhenHealed() async throws {
        let got = try await world { [content] world in
            world.proxy.set(Toxics(ending: .stall, endingAfterBytes: 1000), .down)
            return try await within("all bytes") {
                try await world.connect().executeThenClose { inbound, outbound -> [UInt8] in
                    try await outbound.write(ByteBuffer(bytes: content[..<5000]))
                    var got: [UInt8] = []
                    for try await bytes in inbound {
                        got += Array(bytes.readableBytesView)
                        if got.count == 1000 { world.proxy.heal() }
                        if got.count == 5000 { break }
                    }
                    return got
                }
            }
        }
        #expect(got == Array(content[..<5000]))
    }

    @Test func aBlackHoleSwallowsAndItsConnectionIsResetWhenHealed() async throws {
        let got = try await world { [content] world -> Int in
            world.proxy.set(Toxics(ending: .blackHole, endingAfterBytes: 1000), .up)
            return try await within("the reset") {
                do {
                    return try await world.connect().executeThenClose { inbound, outbound in
                        try await outbound.write(ByteBuffer(bytes: content[..<5000]))
                        var got = 0
                        for try await bytes in inbound {
                            got += bytes.readableBytes
                            if got == 1000 { world.proxy.heal() }
                        }
                        return got
                    }
                } catch is IOError {
                    return 1000
                }
            }
        }
        #expect(got == 1000)
    }

    @Test func whatIsDownRefusesAndWhatIsHealedServes() async throws {
        let outcome = try await world { [content] world -> (down: Int, healed: [UInt8]) in
            world.proxy.takeDown()
            let down = (try? await world.exchange(content).count) ?? 0
            world.proxy.heal()
            return (down, try await world.exchange(content))
        }
        #expect(outcome.down == 0)
        #expect(outcome.healed == content)
    }

    @Test func closedConnectionsAreForgotten() async throws {
        let open = try await world { [content] world in
            for _ in 0..<20 { _ = try await world.exchange(Array(content[..<100])) }
            return try await within("connections to be forgotten") {
                while world.proxy.openConnections > 0 { try await Task.sleep(for: .milliseconds(5)) }
                return world.proxy.openConnections
            }
        }
        #expect(open == 0)
    }
}
