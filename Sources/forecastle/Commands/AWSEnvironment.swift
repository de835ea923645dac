import AWSClients
import AWSProtocol
import Foundation
import Logging
import Secrets
import TransportSecurity

/// Credentials, region and endpoints by the variables that every AWS SDK reads. An empty variable counts as none.
struct AWSEnvironment: Sendable {
    struct MissingVariable: Error, CustomStringConvertible {
        var name: String
        var description: String { "\(name) is not set: source the cluster's env file first" }
    }

    private let variables: [String: String]

    init(_ variables: [String: String] = ProcessInfo.processInfo.environment) { self.variables = variables }

    subscript(name: String) -> String? { variables[name].flatMap { $0.isEmpty ? nil : $0 } }

    func required(_ name: String) throws(MissingVariable) -> String {
        guard let value = self[name] else { throw MissingVariable(name: name) }
        return value
    }

    func credentials() throws(MissingVariable) -> StaticCredentials {
        StaticCredentials(
            AWSCredentials(
                accessKeyID: try required("AWS_ACCESS_KEY_ID"),
                secretAccessKey: Redacted(try required("AWS_SECRET_ACCESS_KEY")),
                sessionToken: self["AWS_SESSION_TOKEN"]))
    }

    /// Carries calls; believes the authorities of `AWS_CA_BUNDLE`, or the system's, as every AWS SDK does.
    func transport() throws -> HTTPTransport {
        guard let bundle = self["AWS_CA_BUNDLE"] else { return HTTPTransport() }
        return HTTPTransport(tls: try ClientTLS(TLSFiles(authorities: bundle), logger: Logger(label: "forecastle.tls")))
    }

    /// Name of the variable with a service's endpoint.
    static func endpointName(of service: String) -> String { "AWS_ENDPOINT_URL_\(service.uppercased())" }
}
