import ArgumentParser
import Envelope

/// The library that does the cryptography of `seal` and `open`.
struct CipherOptions: ParsableArguments {
    @Option(help: "Cipher library. (default: boringssl)")
    var cipher: CipherChoice?

    @Flag(
        name: .customLong("require-fips"),
        help: "Use OpenSSL's FIPS provider, and nothing where it is not loaded.")
    var requireFIPS = false

    func validate() throws {
        guard !requireFIPS || cipher != .boringssl else {
            throw ValidationError("--require-fips goes with --cipher openssl: BoringSSL has no FIPS provider here.")
        }
    }

    /// Throws `EnvelopeError.providerUnavailable` where the library is not there, or not with the FIPS provider.
    func backend() throws -> any CipherBackend {
        switch cipher ?? (requireFIPS ? .openssl : .boringssl) {
        case .boringssl: BoringSSLBackend()
        case .openssl: try OpenSSLBackend(requireFIPS: requireFIPS)
        }
    }
}
