import AWSClients
import AWSProtocol
import AWSServer
import Logging
import TransportSecurity

/// TLS as the settings want it: what each role shows, and whom it believes.
struct TLSSettings {
    private let values: ConfigurationValues

    init(_ values: ConfigurationValues) { self.values = values }

    static let roles = ["api", "authority", "worker"]

    /// What must hold of the settings together, whatever the role of the process.
    func check() throws(ConfigurationError) {
        for role in Self.roles {
            let (certificate, key) = (values.string("\(role).tls_certificate_file"), values.string("\(role).tls_key_file"))
            guard certificate.isEmpty == key.isEmpty else {
                throw ConfigurationError(
                    key: "\(role).tls_key_file", rule: "and \(role).tls_certificate_file must be set both, or neither")
            }
        }
        for server in ["api", "authority"] where !isOn(server) {
            guard AWSServerConfiguration.isLoopback(values.string("\(server).host")) else {
                throw ConfigurationError(
                    key: "\(server).host",
                    rule: "must be 127.0.0.1, ::1 or localhost where \(server).tls_certificate_file is not set: what other "
                        + "machines send must be encrypted; forecastle admin certificates makes certificates")
            }
        }
        if isOn("authority"), values.string("tls.ca_file").isEmpty {
            throw ConfigurationError(
                key: "tls.ca_file",
                rule: "must be set where authority.tls_certificate_file is: it says whose processes may act as the service")
        }
    }

    /// Whether a role has a certificate.
    func isOn(_ role: String) -> Bool { !values.string("\(role).tls_certificate_file").isEmpty }

    /// Nil where the role serves in plain text, on this machine.
    ///
    /// - Parameter asksForCertificates: whether clients may show who they are.
    func server(_ role: String, asksForCertificates: Bool, logger: Logger) throws -> ServerTLS? {
        guard isOn(role) else { return nil }
        var files = files(role)
        if !asksForCertificates { files.authorities = nil }
        return try ServerTLS(files, logger: logger)
    }

    /// Calls of a role: those of the authority with the role's certificate, to nobody but the installation's own authority;
    /// others with nothing, to whom the system believes or `aws.ca_file` names.
    func transport(_ role: String, logger: Logger) throws -> any AWSTransport {
        let endpoint = try values.required("authority.endpoint")
        let others = try elsewhere(logger: logger)
        guard endpoint.hasPrefix("https://") else { return others }
        guard isOn(role) else {
            throw ConfigurationError(
                key: "\(role).tls_certificate_file",
                rule: "must be set where authority.endpoint is https: the authority knows its processes by their certificates")
        }
        let own = HTTPTransport(tls: try ClientTLS(files(role), logger: logger))
        return RoutedTransport(endpoint: endpoint, own: own, others: others)
    }

    /// Calls of AWS, or of what stands in its place.
    func elsewhere(logger: Logger) throws -> HTTPTransport {
        let authorities = values.string("aws.ca_file")
        guard !authorities.isEmpty else { return HTTPTransport() }
        return HTTPTransport(tls: try ClientTLS(TLSFiles(authorities: authorities), logger: logger))
    }

    private func files(_ role: String) -> TLSFiles {
        let authorities = values.string("tls.ca_file")
        return TLSFiles(
            certificate: values.string("\(role).tls_certificate_file"), key: values.string("\(role).tls_key_file"),
            authorities: authorities.isEmpty ? nil : authorities)
    }

    /// The files with certificates that are set, by the name of their setting.
    var certificateFiles: [(setting: String, path: String)] {
        (["tls.ca_file"] + Self.roles.map { "\($0).tls_certificate_file" } + [
            "kafka.ca_file", "kafka.certificate_file", "aws.ca_file", "artifacts.s3.ca_file", "buckets.s3.ca_file",
        ])
        .map { ($0, values.string($0)) }.filter { !$0.1.isEmpty }
    }

    /// The files with their keys.
    var keyFiles: [(setting: String, path: String)] {
        (Self.roles.map { "\($0).tls_key_file" } + ["kafka.key_file"])
            .map { ($0, values.string($0)) }.filter { !$0.1.isEmpty }
    }
}
