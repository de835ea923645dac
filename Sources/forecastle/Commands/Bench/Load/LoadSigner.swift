import AWSProtocol
import Crypto
import Foundation
import Secrets

/// Signs each request of a load (SigV4). The key of the day is derived once, as AWS's SDKs do; nothing else is reused.
struct LoadSigner: Sendable {
    private let credentials: AWSCredentials
    private let region: String
    private let host: String
    private let day: String
    private let keys: [String: SymmetricKey]

    init(credentials: AWSCredentials, region: String, port: Int) {
        self.credentials = credentials
        self.region = region
        host = "127.0.0.1:\(port)"
        let day = String(AWSTimestamp.basic(Date()).prefix(8))
        self.day = day
        keys = Dictionary(
            uniqueKeysWithValues: ["kms", "sts", "forecast"].map { service in
                var key = SymmetricKey(data: Array("AWS4\(credentials.secretAccessKey.revealed)".utf8))
                for part in [day, region, service, "aws4_request"] {
                    key = SymmetricKey(data: HMAC<SHA256>.authenticationCode(for: Array(part.utf8), using: key))
                }
                return (service, key)
            })
    }

    /// The bytes to send.
    func request(_ call: LoadCall) -> [UInt8] {
        let target: String?
        let type: String
        switch call.kind {
        case .get(let path):
            return Array("GET \(path) HTTP/1.1\r\nHost: \(host)\r\nConnection: keep-alive\r\n\r\n".utf8)
        case .json(let name): (target, type) = (name, "application/x-amz-json-1.1")
        case .form: (target, type) = (nil, "application/x-www-form-urlencoded")
        }
        let timestamp = AWSTimestamp.basic(Date())
        let targetLine = target.map { "x-amz-target:\($0)\n" } ?? ""
        let names = "content-type;host;x-amz-date" + (target == nil ? "" : ";x-amz-target")
        let canonical = """
            POST
            /

            content-type:\(type)
            host:\(host)
            x-amz-date:\(timestamp)
            \(targetLine)
            \(names)
            \(Hex.encode(SHA256.hash(data: call.body)))
            """
        let scope = "\(day)/\(region)/\(call.service)/aws4_request"
        let text = "AWS4-HMAC-SHA256\n\(timestamp)\n\(scope)\n\(Hex.encode(SHA256.hash(data: Array(canonical.utf8))))"
        guard let key = keys[call.service] else { preconditionFailure("A load signs for KMS, STS and Forecast.") }
        let signature = Hex.encode(HMAC<SHA256>.authenticationCode(for: Array(text.utf8), using: key))
        let head = """
            POST / HTTP/1.1\r
            Host: \(host)\r
            Content-Type: \(type)\r
            X-Amz-Date: \(timestamp)\r
            \(target.map { "X-Amz-Target: \($0)\r\n" } ?? "")User-Agent: forecastle-bench\r
            Authorization: AWS4-HMAC-SHA256 Credential=\(credentials.accessKeyID)/\(scope), SignedHeaders=\(names), Signature=\(signature)\r
            Content-Length: \(call.body.count)\r
            \r

            """
        return Array(head.utf8) + call.body
    }
}
