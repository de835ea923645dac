import AWSProtocol
import AWSServer
import Secrets
import Synchronization
import Testing

@Suite struct SecretRequestTests {
    private static let target = "Service.Encrypt"
    private static let length = 3000
    private static let text = String(repeating: "s", count: length)

    /// Sends a request and gives what the handler saw of it, with the body that it kept.
    private func arrival(_ request: String) async throws -> (plain: Int, secret: [UInt8]?, kept: (any ReadableSecret)?) {
        let seen = Mutex<(Int, [UInt8]?, (any ReadableSecret)?)?>(nil)
        _ = try await TestServer.with(
            secretTargets: [Self.target],
            handler: { request, _ in
                let secret = try? request.secretBody?.withUnsafeBytes { Array($0) }
                seen.withLock { $0 = (request.body.count, secret, request.secretBody) }
                return .empty
            }
        ) { port in try await RawConnection.exchange(port: port, request) }
        let (plain, secret, kept) = try #require(seen.withLock { $0 })
        return (plain, secret, kept)
    }

    @Test func aSecretBodyComesApartFromTheOthers() async throws {
        let head = "POST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: \(Self.length)\r\n"
        let secret = try await arrival(head + "x-amz-target: \(Self.target)\r\n\r\n" + Self.text)
        #expect(secret.plain == 0 && secret.secret == Array(Self.text.utf8))
        let plain = try await arrival(head + "X-Amz-Target: Service.Decrypt\r\n\r\n" + Self.text)
        #expect(plain.plain == Self.length && plain.secret == nil)
        // Two of that name: no handler takes such a request, but what it brought may be a secret.
        let doubled = try await arrival(
            head + "X-Amz-Target: Service.Decrypt\r\nX-Amz-Target: \(Self.target)\r\n\r\n" + Self.text)
        #expect(doubled.plain == 0 && doubled.secret?.count == Self.length)
    }

    @Test func itComesWholeFromChunksToo() async throws {
        let chunks = (0..<30).map { _ in "64\r\n" + String(repeating: "s", count: 100) + "\r\n" }.joined()
        let seen = try await arrival(
            "POST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nX-Amz-Target: \(Self.target)\r\n"
                + "Transfer-Encoding: chunked\r\n\r\n" + chunks + "0\r\n\r\n")
        #expect(seen.secret == Array(Self.text.utf8))
    }

    @Test(arguments: [(100, "200 OK"), (101, "413 Payload Too Large")])
    func itsBoundIsThatOfEveryBody(count: Int, status: String) async throws {
        var bounds = AWSServerBounds()
        bounds.bodyBytes = 100
        bounds.drainDeadline = .milliseconds(200)
        let answer = try await TestServer.with(
            bounds: bounds, secretTargets: [Self.target], handler: { _, _ in .empty }
        ) { port in
            try await RawConnection.exchange(
                port: port,
                "POST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nX-Amz-Target: \(Self.target)\r\n"
                    + "Transfer-Encoding: chunked\r\n\r\n" + String(count, radix: 16) + "\r\n"
                    + String(repeating: "s", count: count) + "\r\n0\r\n\r\n")
        }
        #expect(answer.hasPrefix("HTTP/1.1 " + status))
    }
}
