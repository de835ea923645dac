package import AWSProtocol
import Crypto
import SwiftASN1
import X509

package import struct FoundationEssentials.Date

/// The installation's own certificate authority: one EC P-256 key that signs the certificates of processes and of nothing else.
package struct CertificateAuthority: Sendable {
    /// Ten years: it is replaced on purpose, not by the calendar.
    package static let lifeDays = 3650
    package static let defaultLifeDays = 90
    package static let lifeDaysRange = 1...825

    /// A certificate and its key, as PEM.
    package struct Pair: Sendable {
        package let certificate: String
        /// PKCS #8.
        package let key: String
    }

    /// Clocks of other machines may be behind.
    static let backdating = 300.0
    private static let secondsOfDay = 86_400.0

    private let certificate: Certificate
    private let key: Certificate.PrivateKey

    /// Throws `.content` where the two do not belong together.
    init(certificate: Certificate, key: Certificate.PrivateKey) throws(CertificatesError) {
        guard certificate.publicKey == key.publicKey else {
            throw CertificatesError(.content, "the authority's key does not belong to its certificate")
        }
        self.certificate = certificate
        self.key = key
    }

    package static func make(now: Date) throws -> (authority: CertificateAuthority, pair: Pair) {
        let key = Certificate.PrivateKey(P256.Signing.PrivateKey())
        let serial = Certificate.SerialNumber()
        // Told apart from one that it replaces by people too.
        let name = try DistinguishedName {
            OrganizationName("Forecastle")
            CommonName("Forecastle CA \(String(serial.description.filter(\.isHexDigit).prefix(8)))")
        }
        let certificate = try Certificate(
            version: .v3, serialNumber: serial, publicKey: key.publicKey,
            notValidBefore: now.addingTimeInterval(-backdating),
            notValidAfter: now.addingTimeInterval(Double(lifeDays) * secondsOfDay), issuer: name, subject: name,
            extensions: try Certificate.Extensions {
                Critical(BasicConstraints.isCertificateAuthority(maxPathLength: 0))
                Critical(KeyUsage(keyCertSign: true, cRLSign: true))
                SubjectKeyIdentifier(hash: key.publicKey)
            }, issuerPrivateKey: key)
        return (try CertificateAuthority(certificate: certificate, key: key), try pair(certificate, key))
    }

    /// Issues a certificate for both ends of a connection.
    ///
    /// - Parameters:
    ///   - names: by which others reach the process; none for one that only calls.
    ///   - seconds: how long it holds from `now`; bounded by the authority's own life.
    package func issue(
        _ identity: ProcessIdentity, names: [CertificateName], seconds: Double, now: Date
    ) throws -> Pair {
        let own = Certificate.PrivateKey(P256.Signing.PrivateKey())
        var alternatives = names.map { name in
            switch name {
            case .dns(let name): GeneralName.dnsName(name)
            case .address(let bytes): GeneralName.ipAddress(ASN1OctetString(contentBytes: bytes[...]))
            }
        }
        alternatives.append(.uniformResourceIdentifier(identity.uri))
        let issuerID = try certificate.extensions.subjectKeyIdentifier?.keyIdentifier
        let issued = try Certificate(
            version: .v3, serialNumber: .init(), publicKey: own.publicKey,
            notValidBefore: now.addingTimeInterval(min(-Self.backdating, seconds - Self.backdating)),
            notValidAfter: min(now.addingTimeInterval(seconds), certificate.notValidAfter), issuer: certificate.subject,
            subject: try DistinguishedName {
                OrganizationName("Forecastle")
                CommonName(identity.role)
            },
            extensions: try Certificate.Extensions {
                Critical(BasicConstraints.notCertificateAuthority)
                Critical(KeyUsage(digitalSignature: true))
                try ExtendedKeyUsage([.serverAuth, .clientAuth])
                SubjectKeyIdentifier(hash: own.publicKey)
                AuthorityKeyIdentifier(keyIdentifier: issuerID)
                SubjectAlternativeNames(alternatives)
            }, issuerPrivateKey: key)
        return try Self.pair(issued, own)
    }

    private static func pair(_ certificate: Certificate, _ key: Certificate.PrivateKey) throws -> Pair {
        Pair(
            certificate: try certificate.serializeAsPEM().pemString + "\n", key: try key.serializeAsPEM().pemString + "\n")
    }
}
