package import AWSProtocol
import Certificates
package import Logging
package import NIOCore
import NIOSSL

/// The server's end of TLS. Clients may show a certificate where authorities for them are named, and need not.
///
/// A certificate that is shown has to hold: one from elsewhere, or expired, ends the handshake.
package struct ServerTLS: Sendable {
    private let contexts: FileBacked<NIOSSLContext>

    /// Throws an error that names the file that can't be used. Files that change are read again; connections that are open stay as
    /// they are.
    package init(
        _ files: TLSFiles, interval: Duration = FileBacked<NIOSSLContext>.defaultInterval, logger: Logger
    ) throws {
        guard files.certificate != nil, files.key != nil else {
            throw TransportSecurityError.files("a server needs a certificate and a key")
        }
        contexts = try FileBacked(files.paths, interval: interval, logger: logger) {
            guard let key = try files.privateKey() else { throw TransportSecurityError.files("a server needs a key") }
            var configuration = TLSConfiguration.makeServerConfiguration(certificateChain: try files.chain(), privateKey: key)
            configuration.insist()
            // In the order of our liking; a client that names neither speaks HTTP/1.1.
            configuration.applicationProtocols = ["h2", "http/1.1"]
            if let roots = try files.trustRoots() {
                configuration.trustRoots = roots
                configuration.certificateVerification = .optionalVerification
                // Which certificate is wanted, for clients that hold several.
                configuration.sendCANameList = true
            }
            return try NIOSSLContext(configuration: configuration)
        }
    }

    /// Puts TLS in front of what the pipeline has. On the channel's event loop.
    package func addHandlers(to channel: any Channel) throws {
        let context = contexts.current.value
        try channel.pipeline.syncOperations.addHandlers([PlainTextRefusal(), NIOSSLServerHandler(context: context)])
    }

    /// Which process of the installation is at the other end, by the certificate that was verified in the handshake; nil for a
    /// client that showed none or one without an identity. On the channel's event loop, after the handshake.
    package static func peer(of channel: any Channel) -> ProcessIdentity? {
        guard let certificate = try? channel.pipeline.syncOperations.nioSSL_peerCertificate(),
            let bytes = try? certificate.toDERBytes()
        else { return nil }
        return try? CertificateFacts(der: bytes).identity
    }
}
