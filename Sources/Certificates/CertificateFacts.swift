package import AWSProtocol
import SwiftASN1
import X509

package import struct FoundationEssentials.Date

/// What a certificate says, for those who decide by it and for people.
package struct CertificateFacts: Sendable, Hashable {
    package let subject: String
    package let issuer: String
    /// Which process of the installation it is for; nil for everybody else's.
    package let identity: ProcessIdentity?
    package let names: [CertificateName]
    package let isAuthority: Bool
    package let notBefore: Date
    package let notAfter: Date

    /// Throws `.content` for bytes that are no certificate.
    package init(der: [UInt8]) throws(CertificatesError) {
        let certificate: Certificate
        do { certificate = try Certificate(derEncoded: der) } catch {
            throw CertificatesError(.content, "a certificate can't be read", cause: error)
        }
        try self.init(certificate)
    }

    init(_ certificate: Certificate) throws(CertificatesError) {
        let alternatives: SubjectAlternativeNames?
        let constraints: BasicConstraints?
        do {
            alternatives = try certificate.extensions.subjectAlternativeNames
            constraints = try certificate.extensions.basicConstraints
        } catch {
            throw CertificatesError(.content, "the names in a certificate can't be read", cause: error)
        }
        var identities: [ProcessIdentity] = []
        var names: [CertificateName] = []
        for alternative in alternatives ?? SubjectAlternativeNames() {
            switch alternative {
            case .dnsName(let name): names.append(.dns(name))
            case .ipAddress(let address): names.append(.address(Array(address.bytes)))
            case .uniformResourceIdentifier(let uri): if let identity = ProcessIdentity(uri: uri) { identities.append(identity) }
            default: break
            }
        }
        subject = certificate.subject.description
        issuer = certificate.issuer.description
        // Two identities are as good as none: whoever reads the first and whoever reads the last must not differ.
        identity = identities.count == 1 ? identities[0] : nil
        self.names = names
        if case .isCertificateAuthority = constraints { isAuthority = true } else { isAuthority = false }
        notBefore = certificate.notValidBefore
        notAfter = certificate.notValidAfter
    }

    private static let secondsOfDay = 86_400.0

    /// Negative once it has expired.
    package func daysLeft(at now: Date) -> Double { notAfter.timeIntervalSince(now) / Self.secondsOfDay }

    /// Whether less than a third of its life is left.
    package func isDue(at now: Date) -> Bool {
        notAfter.timeIntervalSince(now) * 3 < notAfter.timeIntervalSince(notBefore)
    }
}
