package import AWSProtocol
import Secrets

/// Where an S3 is and how its buckets are addressed. From the server's settings alone: nothing that a customer says comes in.
package struct S3Endpoint: Sendable, Hashable {
    package enum Addressing: String, Sendable, CaseIterable {
        /// `https://host/bucket/key`
        case path
        /// `https://bucket.host/key`; a bucket with a dot, which a certificate for `*.host` does not cover, by path all the same.
        case virtual
    }

    /// `https://s3.us-west-2.amazonaws.com`, without path. Without TLS only this machine.
    package let endpoint: String
    /// That requests are signed for.
    package let region: String
    package let addressing: Addressing

    package init(endpoint: String, region: String, addressing: Addressing) {
        self.endpoint = endpoint.last == "/" ? String(endpoint.dropLast()) : endpoint
        self.region = region
        self.addressing = addressing
    }

    /// Throws an error that names the offending field.
    package func validate() throws(AWSError) {
        let nobody = StaticCredentials(AWSCredentials(accessKeyID: "", secretAccessKey: .init("")))
        try AWSClientConfiguration(endpoint: endpoint, region: region, credentials: nobody).validate()
    }

    /// The name or address in the endpoint, without port and brackets.
    package var hostName: String {
        let host = Endpoint.host(of: endpoint)
        return String(host.hasPrefix("[") ? host.prefix { $0 != "]" }.dropFirst() : host.prefix { $0 != ":" })
    }

    /// Whether another address than a literal one decides where requests go.
    package var isLoopback: Bool { Endpoint.isLoopback(Endpoint.host(of: endpoint)) }

    /// Endpoint and encoded path of a bucket (no key) or an object. Encoded once, which is S3's canonical form too.
    func place(bucket: String, key: String?) -> (endpoint: String, path: String) {
        let name = PercentEncoding.encode(Array((key ?? "").utf8), keepingSlash: true)
        guard addressing == .virtual, !bucket.contains("."), let scheme = endpoint.firstRange(of: "://") else {
            return (endpoint, "/" + bucket + (key == nil ? "" : "/" + name))
        }
        return (endpoint[..<scheme.upperBound] + bucket + "." + endpoint[scheme.upperBound...], "/" + name)
    }
}
