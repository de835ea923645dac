import AWSProtocol
import AWSServer
import Logging
import NIOCore
import NIOHPACK
import NIOHTTP2
import NIOPosix
import NIOSSL
import Secrets
import ServiceLifecycle
import Synchronization
import Testing

@Suite struct HTTP2Tests {
    @Test func aRequestIsHandedOverAsHTTP1WouldHaveBroughtIt() async throws {
        let handler: @Sendable (AWSRequest, String) async -> AWSResponse = { request, _ in
            .json([
                "Line": .string("\(request.method) \(request.path) \(request.rawQuery)"),
                "Headers": .strings(request.headers.map { "\($0.0)=\($0.1)" }),
                "Body": .string(String(decoding: request.body, as: UTF8.self)),
                "Source": .string("\(request.sourceAddress) \(request.isSecureTransport) \(request.peer?.uri ?? "")"),
            ])
        }
        let answer = try await withFrames(certificate: "api", handler: handler) { connection in
            try await connection.request(
                1, [("x-a", "1"), ("x-a", "2"), ("content-length", "3")],
                pseudo: [(":path", "/a%20b//c?x=%2B&&y"), (":method", "PUT"), (":authority", "h:1"), (":scheme", "https")],
                body: "{}\n")
            return try await connection.answer(to: 1)
        }
        #expect(answer.status == 200 && answer.isComplete && answer.reset == nil)
        #expect(answer.headers["content-type"] == AWSResponse.jsonContentType)
        #expect(answer.headers["content-length"] == String(answer.body.utf8.count))
        #expect(answer.headers["x-amzn-requestid"]?.count == 36 && answer.headers["connection"] == nil)
        #expect(
            answer.body
                == #"{"Line":"PUT /a%20b//c x=%2B&&y","Headers":["host=h:1","x-a=1","x-a=2","content-length=3"],"#
                + #""Body":"{}\n","Source":"127.0.0.1 true \#(ProcessIdentity.api.uri)"}"#)
    }

    @Test func theHandlerSeesTheSameOfBothVersions() async throws {
        let seen = Mutex<[String]>([])
        let text = try await Certified.with { certified in
            let (one, two) = (try certified.client(["http/1.1"]), try certified.client())
            return try await TestServer.with(
                tls: try certified.server,
                handler: { request, _ in
                    seen.withLock { $0.append("\(request.headers) \(request.body) \(request.path) \(request.sourceAddress)") }
                    return .empty
                }
            ) { port in
                try await FrameConnection.with(port: port, tls: two) { connection in
                    try await connection.request(1, [("x-amz-date", "d"), ("content-length", "1")], body: "b")
                    #expect(try await connection.answer(to: 1).status == 200)
                }
                return try await overTLS(
                    port: port, one, "POST / HTTP/1.1\r\nhost: h:1\r\nx-amz-date: d\r\ncontent-length: 1\r\n\r\nb",
                    until: { $0.contains("\r\n\r\n") })
            }
        }
        #expect(text.hasPrefix("HTTP/1.1 200 OK"))
        #expect(seen.withLock { $0.count == 2 && $0[0] == $0[1] }, "\(seen.withLock { $0 })")
    }

    /// The server's choice of what the client offers, and HTTP/1.1 where nothing is said.
    @Test(arguments: [
        (["h2"], "h2"), (["http/1.1", "h2"], "h2"), (["http/1.1"], "http/1.1"), (["spdy/3"], ""), ([], ""),
    ])
    func theClientChooses(offered: [String], chosen: String) async throws {
        let text = try await Certified.with { certified in
            let client = try certified.client(offered)
            return try await TestServer.with(tls: try certified.server, handler: TestServer.length) { port in
                try await overTLS(
                    port: port, client, "GET /healthz HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", until: { _ in false })
            }
        }
        // Over HTTP/2 that is no preface: the server's settings (a frame of type 4) and its goodbye.
        let isHTTP1 = text.hasPrefix("HTTP/1.1 200 OK") && text.hasSuffix("ok\n")
        #expect(isHTTP1 == (chosen != "h2"), "\(text)")
    }

    @Test func plainTextStaysHTTP1() async throws {
        let text = try await TestServer.with(handler: TestServer.length) { port in
            try await RawConnection.exchange(port: port, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\u{4}\0\0\0\0\0")
        }
        #expect(text.hasPrefix("HTTP/1.1 400 "))
    }

    @Test func healthIsToldOfToo() async throws {
        let answer = try await withFrames { connection in
            try await connection.request(
                1, pseudo: [(":method", "GET"), (":scheme", "https"), (":authority", "h"), (":path", "/healthz")])
            return try await connection.answer(to: 1)
        }
        #expect(answer.status == 200 && answer.body == "ok\n")
    }

    @Test func aClientThatAsksFirstIsToldToGoOn() async throws {
        let answer = try await withFrames { connection in
            let head = try connection.block(FrameConnection.pseudoHeaders + [("expect", "100-continue")])
            try await connection.send(.headers, .endHeaders, stream: 1, payload: head)
            while connection.answers[1]?.status != 100, !connection.isClosed { try await connection.receive() }
            try await connection.send(.data, .endStream, stream: 1, payload: Array("xx".utf8))
            return try await connection.answer(to: 1)
        }
        #expect(answer.status == 200 && answer.body == #"{"Length":2}"#)
    }

    @Test func secretsComeAndGoApart() async throws {
        let text = String(repeating: "s", count: 40_000)
        let secret = JSONObject([("KeyId", "k")]).serialized(
            secretMember: "Plaintext", SecretBytes(count: 3) { $0.copyBytes(from: "abc".utf8) })
        let seen = Mutex<(Int, [UInt8]?)?>(nil)
        let answer = try await withFrames(
            secretTargets: ["Service.Encrypt"],
            handler: { request, _ in
                let body = try? request.secretBody?.withUnsafeBytes { Array($0) }
                seen.withLock { $0 = (request.body.count, body) }
                return .secretJSON(secret)
            }
        ) { connection in
            try await connection.request(1, [("x-amz-target", "Service.Encrypt")], body: text)
            return try await connection.answer(to: 1)
        }
        #expect(answer.body == #"{"Plaintext":"YWJj","KeyId":"k"}"#)
        #expect(seen.withLock { $0?.0 == 0 && $0?.1 == Array(text.utf8) })
        #expect(secret.isWiped)
    }

    /// With NIO's own client: ten requests that are answered only once all of them are there, with bodies that need windows.
    @Test func requestsOfOneConnectionAreAnsweredBesideEachOther() async throws {
        let count = 10
        let all = Signal()
        let arrived = Mutex(0)
        let bodies = try await Certified.with { certified in
            let client = try certified.client()
            return try await TestServer.with(
                tls: try certified.server,
                handler: { request, id in
                    let here = arrived.withLock {
                        $0 += 1
                        return $0
                    }
                    if here == count { await all.open() }
                    await all.wait()
                    return await TestServer.length(request, id)
                }
            ) { port in
                try await waiting(for: "answers") {
                    let multiplexer = try await nioClient(port: port, client)
                    return try await withThrowingTaskGroup(of: String.self) { group in
                        for index in 0..<count {
                            group.addTask { try await nioRequest(multiplexer, bytes: 20_000 + index) }
                        }
                        return try await group.reduce(into: Set()) { $0.insert($1) }
                    }
                }
            }
        }
        #expect(bodies == Set((0..<count).map { #"{"Length":\#(20_000 + $0)}"# }))
    }

    @Test func gracefulShutdownSaysSoAndAnswersWhatIsBeingAnswered() async throws {
        let arrived = Signal()
        let mayAnswer = Signal()
        let (ports, bound) = AsyncStream.makeStream(of: Int.self)
        var bounds = AWSServerBounds()
        bounds.drainDeadline = .milliseconds(200)
        let (answer, farewell, late) = try await Certified.with { certified in
            let client = try certified.client()
            let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
            let server = AWSServer(
                configuration: AWSServerConfiguration(tls: try certified.server, bounds: bounds),
                handler: ClosureHandler { _, _ in
                    await arrived.open()
                    await mayAnswer.wait()
                    return .json(["Done": true])
                }, logger: quiet, onBound: { bound.yield($0) })
            let group = ServiceGroup(
                configuration: ServiceGroupConfiguration(services: [.init(service: server)], logger: quiet))
            return try await withThrowingTaskGroup(of: Void.self) { tasks in
                tasks.addTask { try await group.run() }
                var iterator = ports.makeAsyncIterator()
                let port = try #require(await iterator.next())
                let result = try await FrameConnection.with(port: port, tls: client) { connection in
                    try await connection.request(1)
                    await arrived.wait()
                    await group.triggerGracefulShutdown()
                    while connection.farewell == nil, !connection.isClosed { try await connection.receive() }
                    // One that was on its way: not taken, as its number tells.
                    try await connection.request(3)
                    await mayAnswer.open()
                    let answer = try await connection.answer(to: 1)
                    return (answer, try await connection.end(), connection.answers[3])
                }
                try await tasks.waitForAll()
                return result
            }
        }
        #expect(answer.body == #"{"Done":true}"# && answer.isComplete)
        #expect(farewell == .init(lastStream: 1, code: 0))
        #expect(late?.status == nil)
    }
}

/// Sends a text over TLS and gives what comes until the server closes, or enough of it has.
private func overTLS(
    port: Int, _ tls: NIOSSLContext, _ text: String, until isEnough: @escaping @Sendable (String) -> Bool
) async throws -> String {
    try await waiting(for: "a connection's end") {
        let channel = try await connectedOverTLS(port: port, tls)
        return try await channel.executeThenClose { inbound, outbound in
            try await outbound.write(ByteBuffer(string: text))
            var received = ""
            do {
                for try await buffer in inbound {
                    received += String(buffer: buffer)
                    if isEnough(received) { break }
                }
            } catch {
                // Closed in a hurry; what came is what counts.
            }
            return received
        }
    }
}

private func nioClient(port: Int, _ tls: NIOSSLContext) async throws -> NIOHTTP2Handler.AsyncStreamMultiplexer<Void> {
    try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
        .connect(host: "127.0.0.1", port: port) { channel in
            channel.eventLoop.makeCompletedFuture {
                try channel.pipeline.syncOperations.addHandler(NIOSSLClientHandler(context: tls, serverHostname: nil))
                return try channel.pipeline.syncOperations.configureAsyncHTTP2Pipeline(mode: .client) { stream in
                    stream.eventLoop.makeSucceededVoidFuture()
                }
            }
        }
}

/// The body of the answer to a request with a body of that length.
private func nioRequest(_ multiplexer: NIOHTTP2Handler.AsyncStreamMultiplexer<Void>, bytes: Int) async throws -> String {
    let stream = try await multiplexer.openStream { stream in
        stream.eventLoop.makeCompletedFuture {
            try NIOAsyncChannel<HTTP2Frame.FramePayload, HTTP2Frame.FramePayload>(wrappingChannelSynchronously: stream)
        }
    }
    return try await stream.executeThenClose { inbound, outbound in
        let headers = HPACKHeaders(FrameConnection.pseudoHeaders + [("content-length", String(bytes))])
        try await outbound.write(.headers(.init(headers: headers)))
        try await outbound.write(
            .data(.init(data: .byteBuffer(ByteBuffer(repeating: UInt8(ascii: "x"), count: bytes)), endStream: true)))
        var body = ""
        for try await payload in inbound {
            guard case .data(let data) = payload, case .byteBuffer(let buffer) = data.data else { continue }
            body += String(buffer: buffer)
            if data.endStream { break }
        }
        return body
    }
}
