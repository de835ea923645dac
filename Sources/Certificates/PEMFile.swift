import FoundationEssentials
import Glibc
import SwiftASN1
import X509

/// PEM files of certificates and keys.
package enum PEMFile {
    /// Longer than any bundle of certificate authorities that a system ships.
    package static let maximumBytes = 4 << 20

    /// Facts of every certificate in a file, in its order. Throws where the file has none.
    package static func facts(_ path: String) throws(CertificatesError) -> [CertificateFacts] {
        var facts: [CertificateFacts] = []
        for certificate in try certificates(path) { facts.append(try CertificateFacts(certificate)) }
        return facts
    }

    /// Throws unless the key belongs to the file's first certificate and nobody else may read it.
    package static func checkPair(certificate: String, key: String) throws(CertificatesError) {
        guard try certificates(certificate)[0].publicKey == privateKey(key).publicKey else {
            throw CertificatesError(.content, "the key in \(key) does not belong to the certificate in \(certificate)")
        }
    }

    /// Whether one of the authorities in a file signed the first certificate of another.
    package static func isSigned(_ path: String, byOneOf authorities: String) throws(CertificatesError) -> Bool {
        let certificate = try certificates(path)[0]
        return try certificates(authorities).contains { authority in
            authority.subject == certificate.issuer
                && authority.publicKey.isValidSignature(certificate.signature, for: certificate)
        }
    }

    static func certificates(_ path: String) throws(CertificatesError) -> [Certificate] {
        let text = try read(path)
        var found: [Certificate] = []
        do {
            for document in try PEMDocument.parseMultiple(pemString: text) where document.discriminator == "CERTIFICATE" {
                found.append(try Certificate(pemDocument: document))
            }
        } catch {
            throw CertificatesError(.content, "\(path) holds no certificates that can be read", cause: error)
        }
        guard !found.isEmpty else { throw CertificatesError(.content, "\(path) holds no certificate") }
        return found
    }

    static func privateKey(_ path: String) throws(CertificatesError) -> Certificate.PrivateKey {
        var status = stat()
        guard stat(path, &status) == 0 else { throw CertificatesError(.file, "\(path) can't be read: \(errnoText)") }
        // As libpq has it: a group may read what root owns, which is how mounted secrets come.
        guard status.st_mode & (status.st_uid == 0 ? 0o037 : 0o077) == 0 else {
            throw CertificatesError(.file, "\(path) can be read by others; chmod 600 it")
        }
        let text = try read(path)
        do { return try Certificate.PrivateKey(pemEncoded: text) } catch {
            // The parser's words could quote the key.
            throw CertificatesError(.content, "\(path) holds no private key that can be used")
        }
    }

    private static func read(_ path: String) throws(CertificatesError) -> String {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw CertificatesError(.file, "\(path) can't be read: \(errnoText)") }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while bytes.count <= maximumBytes {
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            guard count >= 0 else { throw CertificatesError(.file, "\(path) can't be read: \(errnoText)") }
            if count == 0 { return String(decoding: bytes, as: UTF8.self) }
            bytes.append(contentsOf: buffer[..<count])
        }
        throw CertificatesError(.content, "\(path) is longer than \(maximumBytes) bytes")
    }

    /// Writes a file that appears whole or not at all, and stays its owner's.
    static func write(_ text: String, to path: String, mode: mode_t) throws(CertificatesError) {
        let temporary = "\(path).\(getpid())"
        unlink(temporary)
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)
        guard descriptor >= 0 else { throw CertificatesError(.file, "\(path) can't be written: \(errnoText)") }
        var before = stat()
        let bytes = Array(text.utf8)
        let isWritten =
            Glibc.write(descriptor, bytes, bytes.count) == bytes.count && fchmod(descriptor, mode) == 0
            && (stat(path, &before) != 0 || fchown(descriptor, before.st_uid, before.st_gid) == 0) && fsync(descriptor) == 0
        let failure = errnoText
        close(descriptor)
        guard isWritten, rename(temporary, path) == 0 else {
            unlink(temporary)
            throw CertificatesError(.file, "\(path) can't be written: \(failure)")
        }
    }

    private static var errnoText: String { String(cString: strerror(errno)) }
}
