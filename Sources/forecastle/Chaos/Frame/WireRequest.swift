import AWSProtocol
import Foundation
import Glibc
import Secrets

/// An endpoint of the cluster that can be spoken to byte by byte: plain HTTP on this machine.
struct WireEndpoint: Sendable {
    let port: Int
    let authority: String

    /// Throws a skip where it is another machine's, or TLS hides the bytes.
    init(_ text: String) throws {
        guard let url = URLComponents(string: text), url.scheme == "http", let host = url.host, let port = url.port,
            ["127.0.0.1", "localhost"].contains(host)
        else { throw ChaosSkip(description: "\(text) is not plain HTTP on this machine") }
        self.port = port
        authority = "\(host):\(port)"
    }

    /// Sends bytes and reads until the other side closes; nothing where it closed without an answer.
    func exchange(_ bytes: [UInt8]) async throws -> WireAnswer {
        let port = port
        return try await withCheckedThrowingContinuation { continuation in
            DispatchQueue.global().async {
                continuation.resume(with: Result { WireAnswer(try RawSocket(port: port).exchange(bytes)) })
            }
        }
    }
}

/// What came back: status and the error's code.
struct WireAnswer: Sendable {
    let status: Int
    let code: String
    let body: [UInt8]

    init(_ bytes: [UInt8]) {
        let text = String(decoding: bytes, as: UTF8.self)
        let head = text.prefix { $0 != "\r\n" }.split(separator: " ")
        status = head.count > 1 ? Int(head[1]) ?? 0 : 0
        body = text.firstRange(of: "\r\n\r\n").map { Array(text[$0.upperBound...].utf8) } ?? []
        code = text.firstMatch(of: /"__type":"(\w+)"|<Code>(\w+)<\/Code>/).map { String($0.1 ?? $0.2 ?? "") } ?? ""
    }
}

/// A request of which every part can be wrong: what is changed before `sign()` is covered by the signature, what is changed
/// after it is not.
struct WireRequest: Sendable {
    var method = "POST"
    var path = "/"
    var query = ""
    var headers: [(String, String)]
    var body: [UInt8]
    var accessKeyID: String
    var secret: String
    var token: String?
    var region: String
    var service = "kms"
    /// Seconds that the client's clock is ahead.
    var skew = 0
    /// In the place of Content-Length.
    var framing: [(String, String)]?

    init(_ endpoint: WireEndpoint, _ variables: AWSEnvironment, target: String, body: [UInt8]) throws {
        headers = [("Host", endpoint.authority), ("Content-Type", "application/x-amz-json-1.1"), ("X-Amz-Target", target)]
        self.body = body
        accessKeyID = try variables.required("AWS_ACCESS_KEY_ID")
        secret = try variables.required("AWS_SECRET_ACCESS_KEY")
        region = try variables.required("AWS_REGION")
    }

    mutating func sign() throws {
        var request = AWSRequest(
            method: method, path: path, rawQuery: query, headers: headers, body: body, receivedAt: Date())
        let signer = SigV4Signer(
            credentials: AWSCredentials(accessKeyID: accessKeyID, secretAccessKey: Redacted(secret), sessionToken: token),
            region: region,
            service: service)
        try signer.sign(&request, at: Date().addingTimeInterval(TimeInterval(skew)))
        headers = request.headers
    }

    func header(_ name: String) -> String { headers.first { $0.0 == name }?.1 ?? "" }

    mutating func change(_ name: String, _ change: (String) -> String) {
        headers = headers.map { $0.0 == name ? ($0.0, change($0.1)) : $0 }
    }

    mutating func remove(_ name: String) { headers.removeAll { $0.0 == name } }

    /// As it goes over the wire. `payload`: in the place of the body.
    func bytes(payload: [UInt8]? = nil) -> [UInt8] {
        let target = query.isEmpty ? path : "\(path)?\(query)"
        let framing = framing ?? [("Content-Length", "\(body.count)")]
        let lines = (headers + [("Connection", "close")] + framing).map { "\($0.0): \($0.1)\r\n" }.joined()
        return Array("\(method) \(target) HTTP/1.1\r\n\(lines)\r\n".utf8) + (payload ?? body)
    }
}

/// A connection that says what it is told, byte by byte, and nothing of HTTP.
final class RawSocket: Sendable {
    private let descriptor: Int32
    /// What a silent other side is waited for.
    private static let patienceSeconds = 60

    init(port: Int) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0, LoopbackPort.connect(descriptor, to: port) else {
            throw ChaosFailure(description: "no connection to port \(port): \(String(cString: strerror(errno)))")
        }
    }

    deinit { Glibc.close(descriptor) }

    /// From now on nothing waits for the other side.
    func neverWait() { _ = fcntl(descriptor, F_SETFL, O_NONBLOCK) }

    func send(_ text: String) { _ = Glibc.send(descriptor, text, text.utf8.count, Int32(MSG_NOSIGNAL)) }

    /// Sends and reads to the end. Refused before all was sent, the answer may be there all the same.
    func exchange(_ bytes: [UInt8]) -> [UInt8] {
        var patience = timeval(tv_sec: Self.patienceSeconds, tv_usec: 0)
        for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
            setsockopt(descriptor, SOL_SOCKET, option, &patience, socklen_t(MemoryLayout<timeval>.size))
        }
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress! + sent, bytes.count - sent, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { break }
            sent += count
        }
        var (received, buffer) = ([UInt8](), [UInt8](repeating: 0, count: 64 << 10))
        while true {
            let count = recv(descriptor, &buffer, buffer.count, 0)
            guard count > 0 else { return received }
            received += buffer[..<count]
        }
    }

    /// Whether the other side has ended it: by a close or a reset, whatever it answered before.
    var isClosed: Bool {
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = recv(descriptor, &buffer, buffer.count, 0)
            if count == 0 { return true }
            if count < 0 { return errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR }
        }
    }
}
