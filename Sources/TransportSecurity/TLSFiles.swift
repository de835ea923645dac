import Certificates
import NIOCore
import NIOSSL

/// The files that one end of TLS is made of, PEM all.
package struct TLSFiles: Sendable, Hashable {
    /// The own certificate, with those between it and the authority behind it, and its private key: both or none.
    package var certificate: String?
    package var key: String?
    /// Certificates of the authorities that the peer's certificate must come from.
    package var authorities: String?

    package init(certificate: String? = nil, key: String? = nil, authorities: String? = nil) {
        self.certificate = certificate
        self.key = key
        self.authorities = authorities
    }

    var paths: [String] { [certificate, key, authorities].compactMap(\.self) }

    func chain() throws -> [NIOSSLCertificateSource] {
        guard let certificate else { return [] }
        if let key { try PEMFile.checkPair(certificate: certificate, key: key) }
        return try loading(certificate) { try NIOSSLCertificate.fromPEMFile(certificate).map { .certificate($0) } }
    }

    func privateKey() throws -> NIOSSLPrivateKeySource? {
        guard let key else { return nil }
        return .privateKey(try loading(key) { try NIOSSLPrivateKey(file: key, format: .pem) })
    }

    func trustRoots() throws -> NIOSSLTrustRoots? {
        guard let authorities else { return nil }
        let certificates = try loading(authorities) { try NIOSSLCertificate.fromPEMFile(authorities) }
        guard !certificates.isEmpty else { throw TransportSecurityError.files("\(authorities) holds no certificate") }
        return .certificates(certificates)
    }

    private func loading<Value>(_ path: String, _ body: () throws -> Value) throws -> Value {
        do { return try body() } catch {
            throw TransportSecurityError.files("\(path) can't be used for TLS", cause: error)
        }
    }
}

extension TLSConfiguration {
    /// What both ends insist on: TLS 1.2 with forward secrecy and authenticated encryption, or TLS 1.3.
    mutating func insist() {
        minimumTLSVersion = .tlsv12
        cipherSuiteValues = [
            .TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, .TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
            .TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, .TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
            .TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384, .TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
        ]
        renegotiationSupport = .none
        // How long a peer that never says goodbye keeps a socket open.
        shutdownTimeout = .seconds(1)
    }
}
