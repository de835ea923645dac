package import AWSProtocol

/// Where and as whom a client calls, and how long it tries.
package struct AWSClientConfiguration: Sendable {
    /// `http://127.0.0.1:8080` or `https://kms.us-west-2.amazonaws.com`, without path.
    package var endpoint: String
    package var region: String
    package var credentials: any AWSCredentialsProvider
    package var userAgent: String
    /// For one attempt, from connecting to the last byte of the answer.
    package var attemptTimeout: Duration
    /// For all attempts and the pauses between them.
    package var totalTimeout: Duration
    package var retries: RetryPolicy

    package init(
        endpoint: String, region: String, credentials: any AWSCredentialsProvider, userAgent: String = "forecastle",
        attemptTimeout: Duration = .seconds(5), totalTimeout: Duration = .seconds(20), retries: RetryPolicy = .init()
    ) {
        self.endpoint = endpoint.last == "/" ? String(endpoint.dropLast()) : endpoint
        self.region = region
        self.credentials = credentials
        self.userAgent = userAgent
        self.attemptTimeout = attemptTimeout
        self.totalTimeout = totalTimeout
        self.retries = retries
    }

    /// Throws an error that names the offending field. Without TLS only this machine may be called.
    package func validate() throws(AWSError) {
        let host = Endpoint.host(of: endpoint)
        let scheme = endpoint.hasPrefix("https://") ? "https://" : "http://"
        guard endpoint.hasPrefix(scheme), !host.isEmpty,
            endpoint.utf8.dropFirst(scheme.utf8.count).allSatisfy({ byte in
                byte > 0x20 && byte < 0x7F && !"/@?#%\\".utf8.contains(byte)
            })
        else { throw .validation("endpoint must have the form http://host:port or https://host:port") }
        guard endpoint.hasPrefix("https://") || Endpoint.isLoopback(host) else {
            throw .validation("endpoint must be https: connections that leave this machine are encrypted")
        }
        guard !region.isEmpty else { throw .validation("region must not be empty") }
        guard attemptTimeout > .zero, totalTimeout > .zero, retries.attempts > 0 else {
            throw .validation("timeouts and attempts must be greater than 0")
        }
    }
}

enum Endpoint {
    /// `127.0.0.1:8080` of `http://127.0.0.1:8080`, as the `Host` header has it: without a port that the scheme implies.
    static func host(of endpoint: String) -> String {
        guard let range = endpoint.firstRange(of: "://") else { return "" }
        let implied = endpoint[..<range.lowerBound] == "https" ? ":443" : ":80"
        let host = endpoint[range.upperBound...].prefix { $0 != "/" }
        return String(host.hasSuffix(implied) ? host.dropLast(implied.count) : host)
    }

    static func isLoopback(_ host: String) -> Bool {
        let name = host.hasPrefix("[") ? host.prefix { $0 != "]" }.dropFirst() : host.prefix { $0 != ":" }
        let octets = name.split(separator: ".", omittingEmptySubsequences: false).map { UInt8($0) }
        return name == "localhost" || name == "::1"
            || (octets.count == 4 && octets[0] == 127 && octets.allSatisfy { $0 != nil })
    }
}
