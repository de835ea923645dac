package import AWSProtocol
import Glibc
import SwiftASN1
import X509

package import struct FoundationEssentials.Date

/// The folder in which an installation keeps its certificate authority and the certificates that it issued.
///
/// `ca.pem` (the authority's certificate; after a replacement those of the former ones behind it), `ca.key`, and for each
/// certificate `NAME.pem` and `NAME.key`. Keys have mode 0600. Only whoever issues needs `ca.key`: keep it elsewhere then.
package struct CertificateFolder: Sendable {
    package struct Entry: Sendable {
        package let name: String
        package let path: String
        package let facts: CertificateFacts
    }

    package let path: String

    package init(_ path: String) { self.path = path }

    package var authority: String { path + "/ca.pem" }
    package var authorityKey: String { path + "/ca.key" }
    package func certificate(_ name: String) -> String { "\(path)/\(name).pem" }
    package func key(_ name: String) -> String { "\(path)/\(name).key" }

    private static let authorityName = "ca"
    private static let secondsOfDay = 86_400.0

    /// Makes the authority. Where there is one, `replacing` puts a new one before it: certificates of both are good until the former one's
    /// certificate is taken out of `ca.pem`.
    package func makeAuthority(replacing: Bool = false, now: Date) throws {
        let exists = isThere(authority) || isThere(authorityKey)
        guard !exists || replacing else {
            throw CertificatesError(.input, "\(path) has a certificate authority; --replace makes another one beside it")
        }
        guard mkdir(path, 0o755) == 0 || errno == EEXIST else {
            throw CertificatesError(.file, "\(path) can't be made: \(String(cString: strerror(errno)))")
        }
        let former = isThere(authority) ? try PEMFile.certificates(authority) : []
        let made = try CertificateAuthority.make(now: now)
        var bundle = made.pair.certificate
        for certificate in former where certificate.notValidAfter > now {
            bundle += try certificate.serializeAsPEM().pemString + "\n"
        }
        // Trusted before it signs.
        try PEMFile.write(bundle, to: authority, mode: 0o644)
        try PEMFile.write(made.pair.key, to: authorityKey, mode: 0o600)
    }

    /// Issues a certificate under a name, in place of one that is there.
    package func issue(
        _ identity: ProcessIdentity, as name: String? = nil, names: [CertificateName], days: Int, now: Date
    ) throws {
        guard CertificateAuthority.lifeDaysRange.contains(days) else {
            let range = CertificateAuthority.lifeDaysRange
            throw CertificatesError(.input, "a certificate holds for \(range.lowerBound) to \(range.upperBound) days")
        }
        try issue(identity, as: name ?? identity.role, names: names, seconds: Double(days) * Self.secondsOfDay, now: now)
    }

    /// For tests too, which want certificates that have expired.
    package func issue(
        _ identity: ProcessIdentity, as name: String, names: [CertificateName], seconds: Double, now: Date
    ) throws {
        guard ProcessIdentity(role: name) != nil, name != Self.authorityName else {
            throw CertificatesError(.input, "\"\(name)\" can't be the name of a certificate: small letters, digits and hyphens")
        }
        let pair = try loadAuthority().issue(identity, names: names, seconds: seconds, now: now)
        // Whoever reads between the two finds a pair that does not fit, and reads again.
        try PEMFile.write(pair.key, to: key(name), mode: 0o600)
        try PEMFile.write(pair.certificate, to: certificate(name), mode: 0o644)
    }

    /// Issues again, for the same names and as long, what has less than a third of its life left or was signed by a former
    /// authority; everything with `all`. Returns the names.
    package func renew(all: Bool = false, now: Date) throws -> [String] {
        let signer = try PEMFile.facts(authority)[0].subject
        var renewed: [String] = []
        for entry in try entries() where entry.name != Self.authorityName {
            guard let identity = entry.facts.identity, all || entry.facts.isDue(at: now) || entry.facts.issuer != signer else {
                continue
            }
            try issue(
                identity, as: entry.name, names: entry.facts.names,
                seconds: entry.facts.notAfter.timeIntervalSince(entry.facts.notBefore) - CertificateAuthority.backdating, now: now
            )
            renewed.append(entry.name)
        }
        return renewed
    }

    /// What is in the folder: the authority first, then by name.
    package func entries() throws -> [Entry] {
        guard let directory = opendir(path) else {
            throw CertificatesError(.file, "\(path) can't be read: \(String(cString: strerror(errno)))")
        }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let file = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if file.hasSuffix(".pem") { names.append(String(file.dropLast(4))) }
        }
        names.sort { ($0 != Self.authorityName ? 1 : 0, $0) < ($1 != Self.authorityName ? 1 : 0, $1) }
        return try names.flatMap { name in
            try PEMFile.facts(certificate(name)).map { Entry(name: name, path: certificate(name), facts: $0) }
        }
    }

    private func loadAuthority() throws(CertificatesError) -> CertificateAuthority {
        guard isThere(authority), isThere(authorityKey) else {
            throw CertificatesError(
                .input, "\(path) has no certificate authority; forecastle admin certificates authority makes one")
        }
        return try CertificateAuthority(
            certificate: try PEMFile.certificates(authority)[0], key: try PEMFile.privateKey(authorityKey))
    }

    private func isThere(_ file: String) -> Bool { access(file, F_OK) == 0 }
}
