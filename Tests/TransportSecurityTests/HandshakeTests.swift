import AWSClients
import AWSProtocol
import AWSServer
import Certificates
import Foundation
import NIOCore
import NIOPosix
import NIOSSL
import NIOTLS
import Testing
import TransportSecurity

/// Who is refused in a handshake, and what is said about it.
@Suite struct HandshakeTests {
    @Test func aRequestOverTLSIsSecureAndOneInPlainTextIsNot() async throws {
        try await TLSWorld.with { world in
            let client = try world.client()
            try await withServer(try world.server()) { port in
                let found = try await call(client, "https://127.0.0.1:\(port)")
                #expect(found == Seen(isSecure: true))
            }
            try await withServer(nil) { port in
                let found = try await call(client, "http://127.0.0.1:\(port)")
                #expect(found == Seen(isSecure: false))
            }
        }
    }

    @Test(arguments: [ProcessIdentity.api, .worker])
    func theServerKnowsAProcessByItsCertificate(identity: ProcessIdentity) async throws {
        try await TLSWorld.with { world in
            let client = try world.client(identity.role)
            try await withServer(try world.server()) { port in
                for _ in 0..<2 {
                    let found = try await call(client, "https://127.0.0.1:\(port)")
                    #expect(found == Seen(isSecure: true, peer: identity.uri))
                }
            }
        }
    }

    @Test func aServerOfAnotherAuthorityIsRefused() async throws {
        try await TLSWorld.with { world in
            let client = try world.client()
            try await withServer(try world.server(in: world.others)) { port in
                #expect(await refusal(client, "https://127.0.0.1:\(port)").contains("none of the authorities"))
            }
        }
    }

    @Test func anExpiredServerIsRefused() async throws {
        try await TLSWorld.with { world in
            try world.issue(.authority, seconds: -60)
            let client = try world.client()
            try await withServer(try world.server()) { port in
                #expect(await refusal(client, "https://127.0.0.1:\(port)").contains("expired"))
            }
        }
    }

    @Test(arguments: [["127.0.0.2"], ["localhost"], []])
    func aServerOfAnotherNameIsRefused(names: [String]) async throws {
        try await TLSWorld.with { world in
            try world.issue(.authority, names: names)
            let client = try world.client()
            try await withServer(try world.server()) { port in
                #expect(await refusal(client, "https://127.0.0.1:\(port)").contains("other names"))
            }
        }
    }

    @Test func aServerIsFoundByItsNameToo() async throws {
        try await TLSWorld.with { world in
            try world.issue(.authority, names: ["localhost"])
            let client = try world.client()
            try await withServer(try world.server()) { port in
                let found = try await call(client, "https://localhost:\(port)")
                #expect(found.isSecure)
            }
        }
    }

    @Test func aServerThatSpeaksPlainTextIsRefused() async throws {
        try await TLSWorld.with { world in
            let client = try world.client()
            try await withServer(nil) { port in
                #expect(await refusal(client, "https://127.0.0.1:\(port)").contains("does not speak TLS"))
            }
        }
    }

    @Test func aClientThatSpeaksPlainTextIsToldSo() async throws {
        try await TLSWorld.with { world in
            try await withServer(try world.server()) { port in
                let error = await #expect(throws: Refused.self) {
                    _ = try await call(HTTPTransport(), "http://127.0.0.1:\(port)")
                }
                #expect(error?.status == 400)
                let answer = try await exchange(port: port, "GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n")
                #expect(answer.hasSuffix(#""message":"TLS is spoken here: use https://"}"#))
            }
        }
    }

    @Test func aClientOfAnotherAuthorityIsRefused() async throws {
        try await TLSWorld.with { world in
            let client = try world.client("api", in: world.others)
            // It believes its own authority only: let it believe ours.
            let files = TLSFiles(
                certificate: world.others.certificate("api"), key: world.others.key("api"), authorities: world.ours.authority)
            let believing = HTTPTransport(tls: try ClientTLS(files, logger: quiet))
            try await withServer(try world.server()) { port in
                for transport in [client, believing] {
                    #expect(await refusal(transport, "https://127.0.0.1:\(port)").contains("refused our certificate"))
                }
            }
        }
    }

    @Test func anExpiredClientIsRefused() async throws {
        try await TLSWorld.with { world in
            try world.issue(.api, names: [], seconds: -60)
            let client = try world.client("api")
            try await withServer(try world.server()) { port in
                #expect(await refusal(client, "https://127.0.0.1:\(port)").contains("it has expired"))
            }
        }
    }

    @Test func olderTLSIsRefused() async throws {
        try await TLSWorld.with { world in
            try await withServer(try world.server()) { port in
                var configuration = TLSConfiguration.makeClientConfiguration()
                configuration.certificateVerification = .none
                configuration.minimumTLSVersion = .tlsv1
                configuration.maximumTLSVersion = .tlsv11
                let context = try NIOSSLContext(configuration: configuration)
                // An alert, or the end of the connection that overtook it.
                await #expect(throws: (any Error).self) { try await handshake(context, port: port) }
                configuration.maximumTLSVersion = .tlsv12
                let newer = try NIOSSLContext(configuration: configuration)
                try await handshake(newer, port: port)
            }
        }
    }

    /// What the server offers first is not what the clients of the house name.
    @Test func ourOwnClientsStayWithHTTP1() async throws {
        try await TLSWorld.with { world in
            let chain = try NIOSSLCertificate.fromPEMFile(world.ours.certificate("authority"))
            let key = try NIOSSLPrivateKey(file: world.ours.key("authority"), format: .pem)
            var configuration = TLSConfiguration.makeServerConfiguration(
                certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(key))
            configuration.applicationProtocols = ["h2", "http/1.1"]
            let context = try NIOSSLContext(configuration: configuration)
            let (protocols, told) = AsyncStream.makeStream(of: ALPNResult.self)
            let server = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .childChannelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        let witness = ApplicationProtocolNegotiationHandler { result, channel in
                            told.yield(result)
                            return channel.close()
                        }
                        try channel.pipeline.syncOperations.addHandlers([NIOSSLServerHandler(context: context), witness])
                    }
                }
                .bind(host: "127.0.0.1", port: 0).get()
            let port = try #require(server.localAddress?.port)
            // Nobody answers; what was negotiated is all that this is about.
            _ = try? await call(world.client(), "https://127.0.0.1:\(port)")
            var iterator = protocols.makeAsyncIterator()
            #expect(await iterator.next() == .negotiated("http/1.1"))
            try await server.close()
        }
    }

    @Test(arguments: ["", "\u{16}", "\u{16}\u{03}\u{01}\u{02}"])
    func aHandshakeThatNeverEndsIsEnded(beginning: String) async throws {
        try await TLSWorld.with { world in
            var bounds = AWSServerBounds()
            bounds.headerDeadline = .milliseconds(200)
            try await withServer(try world.server(), bounds: bounds) { port in
                let found = try await exchange(port: port, beginning)
                #expect(found.isEmpty)
            }
        }
    }

    @Test func callsOfOthersDoNotShowTheCertificate() async throws {
        try await TLSWorld.with { world in
            try await withServer(try world.server()) { port in
                let transport = RoutedTransport(
                    endpoint: "https://127.0.0.1:\(port)/", own: try world.client("api"), others: try world.client())
                #expect(try await call(transport, "https://127.0.0.1:\(port)").peer == ProcessIdentity.api.uri)
                try await withServer(try world.server()) { elsewhere in
                    let found = try await call(transport, "https://127.0.0.1:\(elsewhere)")
                    #expect(found.peer == nil)
                }
            }
        }
    }

    @Test(arguments: ["0.0.0.0", "::", "192.168.0.1", "example.org"])
    func withTLSTheServerMayListenAnywhere(host: String) async throws {
        try await TLSWorld.with { world in
            let tls = try world.server()
            #expect(throws: Never.self) { try AWSServerConfiguration(host: host, tls: tls).validate() }
            #expect(throws: AWSServerError.self) { try AWSServerConfiguration(host: host).validate() }
        }
    }
}

/// Sends bytes as they are and returns what comes until the server closes.
private func exchange(port: Int, _ text: String) async throws -> String {
    let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
        .connect(host: "127.0.0.1", port: port) { channel in
            channel.eventLoop.makeCompletedFuture {
                try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
            }
        }
    return try await channel.executeThenClose { inbound, outbound in
        if !text.isEmpty { try await outbound.write(ByteBuffer(string: text)) }
        var received = ""
        for try await buffer in inbound { received += String(buffer: buffer) }
        return received
    }
}

/// Ends well where a handshake does.
private func handshake(_ context: NIOSSLContext, port: Int) async throws {
    let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
        .connect(host: "127.0.0.1", port: port) { channel in
            channel.eventLoop.makeCompletedFuture {
                try channel.pipeline.syncOperations.addHandler(try NIOSSLClientHandler(context: context, serverHostname: nil))
                return try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
            }
        }
    try await channel.executeThenClose { inbound, outbound in
        try await outbound.write(ByteBuffer(string: "GET /healthz HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"))
        for try await _ in inbound {}
    }
}
