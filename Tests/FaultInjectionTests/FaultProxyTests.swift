import FaultInjection
import Foundation
import Logging
import NIOCore
import NIOPosix
import ServiceTesting
import Synchronization
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

        /// How many bytes come back before the connection ends, however it does: a client that still writes when it ends hears
        /// of it in many ways.
        func bytesUntilTheEnd(sending sent: [UInt8]) async throws -> Int {
            let channel = try await connect()
            let got = Mutex(0)
            do {
                try await channel.executeThenClose { inbound, outbound in
                    try await outbound.write(ByteBuffer(bytes: sent))
                    for try await bytes in inbound { got.withLock { $0 += bytes.readableBytes } }
                }
            } catch let error where error is IOError || error is ChannelError || error is NIOAsyncWriterError {
                // The end.
            }
            return got.withLock { $0 }
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
            return try await within("the end") { try await world.bytesUntilTheEnd(sending: content) }
        }
        // A reset may overtake what was still on its way; and a close is one where bytes of the client are unread.
        #expect(got <= 1000)
    }

    /// Where all that the client sent was read, a close is in good order and nothing before it is lost.
    @Test func aCloseLetsTheBytesBeforeItThrough() async throws {
        let got = try await world { [content] world -> Int in
            world.proxy.set(Toxics(ending: .close, endingAfterBytes: 1000), .down)
            return try await within("the end") { try await world.bytesUntilTheEnd(sending: Array(content[..<1001])) }
        }
        #expect(got == 1000)
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

    @Test func anAnswerIsLostThoughItsQuestionArrived() async throws {
        let (lost, severed, next) = try await world { world -> (Int, Int, [UInt8]) in
            world.proxy.severAnswers(to: Array("COMMIT".utf8), times: 1)
            let harmless = try await world.exchange(Array("SELECT".utf8))
            #expect(harmless == Array("SELECT".utf8))
            // The echo is the answer: nothing of it comes.
            let lost = (try? await within("the reset") { try await world.exchange(Array("..COMMIT..".utf8)).count }) ?? 0
            return (lost, world.proxy.severedAnswers, try await world.exchange(Array("COMMIT".utf8)))
        }
        #expect(lost == 0 && severed == 1)
        #expect(next == Array("COMMIT".utf8))
    }

    @Test func socketsOfAFolderAreProxiedToo() async throws {
        let folder = "/tmp/proxy-\(getpid())"
        try? FileManager.default.removeItem(atPath: folder)
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let echo = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(Echo()) }
            }
            .bind(unixDomainSocketPath: folder + "/upstream").get()
        defer { echo.close(promise: nil) }
        let (ports, bound) = AsyncStream<Int>.makeStream()
        let proxy = FaultProxy(
            to: .init(socket: folder + "/upstream"), socket: folder + "/proxy", seed: 1, logger: Logger(label: "test")
        ) { bound.yield($0) }
        let got = try await with(proxy) {
            var iterator = ports.makeAsyncIterator()
            _ = try #require(await iterator.next())
            let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .connect(unixDomainSocketPath: folder + "/proxy") { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
                    }
                }
            return try await channel.executeThenClose { inbound, outbound -> [UInt8] in
                try await outbound.write(ByteBuffer(string: "hello"))
                for try await bytes in inbound { return Array(bytes.readableBytesView) }
                return []
            }
        }
        #expect(got == Array("hello".utf8))
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
