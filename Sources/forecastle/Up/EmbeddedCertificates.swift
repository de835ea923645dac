import AWSProtocol
import Certificates
import Foundation
import Logging

/// The certificate authority of an embedded cluster and the certificates of its processes, in the data folder.
struct EmbeddedCertificates: Sendable {
    let path: String

    static let renewalInterval: Duration = .seconds(3600)

    private var folder: CertificateFolder { CertificateFolder(path) }
    var authority: String { folder.authority }

    /// Names of this machine for itself.
    private static let loopback = ["localhost", "127.0.0.1", "::1"]

    /// Makes what is missing and renews what is due.
    func prepare() throws {
        let now = Date()
        if !FileManager.default.fileExists(atPath: folder.authority) { try folder.makeAuthority(now: now) }
        let names = try Self.loopback.map { try CertificateName($0) }
        for (identity, names) in [(ProcessIdentity.api, names), (.authority, names), (.worker, [])]
        where !FileManager.default.fileExists(atPath: folder.certificate(identity.role)) {
            try folder.issue(identity, names: names, days: CertificateAuthority.defaultLifeDays, now: now)
        }
        _ = try folder.renew(now: now)
    }

    /// Renews what becomes due while the cluster runs, until cancelled. The processes read it by themselves.
    func keep(_ logger: Logger) async {
        while !Task.isCancelled {
            do {
                try await Task.sleep(for: Self.renewalInterval)
                _ = try folder.renew(now: Date())
            } catch is CancellationError {
                return
            } catch {
                logger.error("certificates could not be renewed", metadata: ["error": "\(error)"])
            }
        }
    }

    /// Settings of all roles.
    var settings: [(String, String)] {
        [("tls.ca_file", folder.authority)]
            + TLSSettings.roles.flatMap { role in
                [
                    ("\(role).tls_certificate_file", folder.certificate(role)), ("\(role).tls_key_file", folder.key(role)),
                ]
            }
    }
}
