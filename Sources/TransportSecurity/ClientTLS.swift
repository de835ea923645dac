package import Logging
package import NIOSSL

/// The client's end of TLS: which servers are believed, and the certificate that is shown to those that ask for one.
///
/// The server's certificate has to hold for the name or address that was asked for.
package struct ClientTLS: Sendable {
    private let configurations: FileBacked<TLSConfiguration>

    /// Throws an error that names the file that can't be used. Without `authorities` the system's are believed.
    package init(
        _ files: TLSFiles, interval: Duration = FileBacked<TLSConfiguration>.defaultInterval, logger: Logger
    ) throws {
        guard (files.certificate == nil) == (files.key == nil) else {
            throw TransportSecurityError.files("a client's certificate and key go together")
        }
        configurations = try FileBacked(files.paths, interval: interval, logger: logger) {
            var configuration = TLSConfiguration.makeClientConfiguration()
            configuration.insist()
            configuration.certificateVerification = .fullVerification
            if let roots = try files.trustRoots() { configuration.trustRoots = roots }
            configuration.certificateChain = try files.chain()
            configuration.privateKey = try files.privateKey()
            return configuration
        }
    }

    /// What new connections are made with, and a number that is another one once the files have changed.
    package var current: (value: TLSConfiguration, generation: Int) { configurations.current }
}
