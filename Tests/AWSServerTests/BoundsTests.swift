import AWSProtocol
import AWSServer
import Testing

@Suite struct BoundsTests {
    private static let bodyBytes = 4096

    private func status(_ text: String) async throws -> String {
        var bounds = AWSServerBounds()
        bounds.bodyBytes = Self.bodyBytes
        bounds.drainDeadline = .seconds(2)
        let answer = try await TestServer.with(bounds: bounds, handler: TestServer.length) { port in
            try await RawConnection.exchange(port: port, text)
        }
        return String(answer.prefix { $0 != "\r\n" })
    }

    @Test(arguments: [
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx",
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx",
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: -1\r\n\r\nx",
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0x1\r\n\r\nx",
        "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX-Amz-Target: a\r\n\r\n",
        "POST http://h/ HTTP/1.1\r\nHost: h\r\n\r\n", "OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n",
        "GARBAGE\r\n\r\n", "POST / HTTP/1.1\r\nHost h\r\n\r\n", "POST / HTTP/1.1\r\nX : 1\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: h\r\n folded\r\n\r\n", "POST / HTTP/9.9\r\nHost: h\r\n\r\n", "\u{16}\u{3}\u{1}\u{2}\r\n\r\n",
    ])
    func ambiguousRequestsAreRefused(text: String) async throws {
        #expect(try await status(text) == "HTTP/1.1 400 Bad Request")
    }

    @Test(arguments: [(bodyBytes - 1, 200), (bodyBytes, 200), (bodyBytes + 1, 413)])
    func bodiesAreBounded(count: Int, code: Int) async throws {
        let body = String(repeating: "x", count: count)
        let plain = try await status("POST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: \(count)\r\n\r\n\(body)")
        #expect(plain.hasPrefix("HTTP/1.1 \(code) "))
        let half = count / 2
        let chunked = try await status(
            "POST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
                + "\(String(half, radix: 16))\r\n\(body.prefix(half))\r\n"
                + "\(String(count - half, radix: 16))\r\n\(body.dropFirst(half))\r\n0\r\n\r\n")
        #expect(chunked.hasPrefix("HTTP/1.1 \(code) "))
    }

    @Test func aLyingLengthIsRefusedBeforeTheBody() async throws {
        #expect(
            try await status("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999999999999999\r\n\r\n").hasPrefix("HTTP/1.1 4")
        )
        #expect(
            try await status("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1099511627776\r\n\r\n").hasPrefix("HTTP/1.1 413 "))
    }

    @Test(arguments: [(98, 200), (99, 431)])
    func headersAreCounted(count: Int, code: Int) async throws {
        let headers = (0..<count).map { "X-\($0): 1\r\n" }.joined()
        let answer = try await status("POST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\(headers)\r\n")
        #expect(answer.hasPrefix("HTTP/1.1 \(code) "))
    }

    @Test(arguments: [(-1, 200), (0, 200), (1, 431)])
    func headersAreMeasured(excess: Int, code: Int) async throws {
        let others = "Host".count + "h".count + "Connection".count + "close".count
        let (name, names) = ("X-0", 4)
        let total = (16 << 10) + excess - others - names * name.count
        let lengths = [total / 4, total / 4, total / 4, total - 3 * (total / 4)]
        let headers = lengths.enumerated().map { "X-\($0.offset): \(String(repeating: "v", count: $0.element))\r\n" }.joined()
        let answer = try await status("POST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\(headers)\r\n")
        #expect(answer.hasPrefix("HTTP/1.1 \(code) "))
    }

    @Test func aHeaderWithoutEndIsRefused() async throws {
        let answer = try await status("POST / HTTP/1.1\r\nX: " + String(repeating: "v", count: 100_000))
        #expect(answer.hasPrefix("HTTP/1.1 431 "))
    }

    /// In parts, so that most of them come after the refusal: each is an error of the decoder's, and none may take the answer away.
    @Test func whoGoesOnSendingHeadersIsToldAllTheSame() async throws {
        let answer = try await TestServer.with(handler: TestServer.length) { port in
            try await RawConnection.with(port: port) { connection in
                try await connection.send("POST / HTTP/1.1\r\nHost: h\r\n")
                for part in 0..<50 {
                    // The server takes them for a while and closes then: what it said before is there to be read all the same.
                    try? await connection.send((0..<100).map { "X-\(part)-\($0): v\r\n" }.joined())
                }
                return await connection.readToEnd()
            }
        }
        #expect(answer.hasPrefix("HTTP/1.1 431 "))
    }

    @Test func aConfigurationOutOfBoundsNamesTheField() {
        var configuration = AWSServerConfiguration()
        configuration.bounds.bodyBytes = 0
        #expect(throws: AWSServerError.self) { try configuration.validate() }
        do {
            try configuration.validate()
        } catch {
            #expect(error.message == "bodyBytes must be at least 1")
        }
    }
}
