import AWSProtocol
import AWSServer
import Logging
import Secrets
import ServiceLifecycle
import Testing

@Suite struct AWSServerTests {
    @Test func aRequestIsHandedOverAsItCame() async throws {
        let handler: @Sendable (AWSRequest, String) async -> AWSResponse = { request, _ in
            .json([
                "Line": .string("\(request.method) \(request.path) \(request.rawQuery)"),
                "Headers": .strings(request.headers.map { "\($0.0)=\($0.1)" }),
                "Body": .string(String(decoding: request.body, as: UTF8.self)),
                "Source": .string(request.sourceAddress),
            ])
        }
        let text = try await TestServer.with(handler: handler) { port in
            try await RawConnection.exchange(
                port: port,
                "POST /a%20b//c?x=%2B&&y HTTP/1.1\r\nhOsT: h:1\r\nX-A: 1\r\nx-a:  2  \r\nContent-Length: 3\r\n"
                    + "Connection: close\r\n\r\n{}\n")
        }
        #expect(text.hasPrefix("HTTP/1.1 200 OK\r\n"))
        #expect(
            text.hasSuffix(
                #"{"Line":"POST /a%20b//c x=%2B&&y","Headers":["hOsT=h:1","X-A=1","x-a=2","Content-Length=3","Connection=close"],"#
                    + #""Body":"{}\n","Source":"127.0.0.1"}"#))
    }

    @Test func anAnswerHasTheRequestsIDAndItsContentType() async throws {
        let handler: @Sendable (AWSRequest, String) async -> AWSResponse = { _, id in
            .queryError(.accessDenied("no"), namespace: "urn:x", requestID: id)
        }
        let text = try await TestServer.with(handler: handler) { port in
            try await RawConnection.exchange(port: port, "POST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
        }
        #expect(text.hasPrefix("HTTP/1.1 403 Forbidden\r\n"))
        #expect(text.contains("Content-Type: text/xml\r\n"))
        let id = try #require(text.firstMatch(of: /x-amzn-RequestId: ([0-9a-f-]{36})\r\n/)).1
        #expect(text.contains("<RequestId>\(id)</RequestId>"))
    }

    @Test func aConnectionIsKeptForTheNextRequest() async throws {
        let text = try await TestServer.with(handler: TestServer.length) { port in
            try await RawConnection.exchange(
                port: port,
                "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\nx"
                    + "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nxx\r\n1\r\nx\r\n0\r\n\r\n"
                    + "GET /healthz HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
        }
        #expect(text.components(separatedBy: "HTTP/1.1 200 OK").count == 4)
        #expect(text.contains(#"{"Length":1}"#) && text.contains(#"{"Length":3}"#) && text.hasSuffix("\r\n\r\nok\n"))
    }

    @Test func aClientThatAsksFirstIsToldToGoOn() async throws {
        let text = try await TestServer.with(handler: TestServer.length) { port in
            try await RawConnection.with(port: port) { connection in
                try await connection.send(
                    "POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 2\r\nConnection: close\r\n\r\n")
                return await connection.readToEnd { text in
                    if text == "HTTP/1.1 100 Continue\r\n\r\n" { try await connection.send("xx") }
                }
            }
        }
        #expect(text.hasPrefix("HTTP/1.1 100 Continue\r\n") && text.hasSuffix(#"{"Length":2}"#))
    }

    @Test func aSecretBodyIsSentAndWiped() async throws {
        let secret = JSONObject([("KeyId", "k")]).serialized(
            secretMember: "Plaintext", SecretBytes(count: 3) { $0.copyBytes(from: "abc".utf8) })
        let text = try await TestServer.with(handler: { _, _ in .secretJSON(secret) }) { port in
            try await RawConnection.exchange(port: port, "POST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
        }
        #expect(text.hasSuffix(#"{"Plaintext":"YWJj","KeyId":"k"}"#))
        #expect(secret.isWiped)
    }

    @Test func gracefulShutdownAnswersWhatIsBeingAnswered() async throws {
        let arrived = Signal()
        let mayAnswer = Signal()
        let (ports, bound) = AsyncStream.makeStream(of: Int.self)
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let server = AWSServer(
            configuration: AWSServerConfiguration(),
            handler: ClosureHandler { _, _ in
                await arrived.open()
                await mayAnswer.wait()
                return .json(["Done": true])
            }, logger: logger, onBound: { bound.yield($0) })
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(services: [.init(service: server)], logger: logger))
        try await withThrowingTaskGroup(of: String?.self) { tasks in
            tasks.addTask {
                try await group.run()
                return nil
            }
            var iterator = ports.makeAsyncIterator()
            let port = try #require(await iterator.next())
            tasks.addTask {
                try await RawConnection.exchange(port: port, "POST / HTTP/1.1\r\nHost: h\r\n\r\n")
            }
            await arrived.wait()
            await group.triggerGracefulShutdown()
            await mayAnswer.open()
            var answers: [String] = []
            while let text = try await tasks.next() { answers += [text].compactMap(\.self) }
            #expect(answers.count == 1 && answers[0].hasSuffix(#"{"Done":true}"#))
        }
    }

    @Test(arguments: ["0.0.0.0", "::", "192.168.0.1", "example.org", "127.0.0.1.example.org", "127.0.0", ""])
    func loopbackIsRequiredWithoutTLS(host: String) {
        #expect(throws: AWSServerError.self) { try AWSServerConfiguration(host: host).validate() }
    }

    @Test func aTakenPortIsAnErrorThatMayBeRetried() async throws {
        try await TestServer.with(handler: TestServer.length) { port in
            let second = AWSServer(
                configuration: AWSServerConfiguration(port: port), handler: ClosureHandler(body: TestServer.length),
                logger: Logger(label: "test"))
            let error = await #expect(throws: AWSServerError.self) { try await second.run() }
            #expect(error?.isRetriable == true)
        }
    }
}

extension String {
    fileprivate func components(separatedBy separator: String) -> [Substring] {
        split(separator: separator, omittingEmptySubsequences: false)
    }
}
