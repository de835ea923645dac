import COpenSSL

/// OpenSSL 3, in a library context of its own that the system's configuration does not change.
///
/// With `requireFIPS` the configuration is read, the provider `fips` is loaded and everything is fetched with `fips=yes`.
/// The initialiser throws `providerUnavailable` when any algorithm is missing or comes from elsewhere: it never falls back.
package struct OpenSSLBackend: CipherBackend {
    let library: OpenSSLLibrary

    package init(requireFIPS: Bool = false) throws {
        library = try (requireFIPS ? OpenSSLLibrary.fips : OpenSSLLibrary.standard).get()
    }

    /// A library context with other providers, which is never freed.
    package init(module: OpenSSLModule) throws {
        library = try OpenSSLLibrary(module)
    }

    package var name: String { "openssl" }

    package func makeCipher(key: UnsafeRawBufferPointer) throws -> any FrameCipher {
        guard let algorithm = library.cipher(keyBytes: key.count) else {
            throw EnvelopeError.invalidInput("A key has 16, 24 or 32 bytes.")
        }
        return OpenSSLCipher(library: library, algorithm: algorithm, key: key)
    }

    package func deriveHKDF(
        _ hash: HashAlgorithm, inputKey: UnsafeRawBufferPointer, salt: UnsafeRawBufferPointer,
        outputs: [(info: [UInt8], bytes: UnsafeMutableRawBufferPointer)]
    ) throws {
        try hash.checkDerived(outputs)
        for output in outputs {
            let done = output.info.withUnsafeBytes { info in
                copenssl_hkdf(
                    library.hkdf, hash.openSSLName, library.properties, inputKey.baseAddress, inputKey.count, salt.baseAddress,
                    salt.count, info.baseAddress, info.count, output.bytes.baseAddress, output.bytes.count)
            }
            guard done == 1 else { throw EnvelopeError.openSSL("deriving a key") }
        }
    }

    package func makeDigest(_ hash: HashAlgorithm) throws -> any RunningDigest {
        try OpenSSLDigest(library: library, hash: hash)
    }

    package func makeSigner(_ curve: SignatureCurve) throws -> any MessageSigner {
        try OpenSSLSigner(library: library, curve: curve)
    }

    package func makeVerifier(_ curve: SignatureCurve, compressedPublicKey: [UInt8]) throws -> any MessageVerifier {
        try OpenSSLVerifier(library: library, curve: curve, compressedPublicKey: compressedPublicKey)
    }

    package func fillRandom(_ bytes: UnsafeMutableRawBufferPointer) throws {
        guard RAND_bytes_ex(library.context, bytes.baseAddress, bytes.count, Self.randomStrengthBits) == 1 else {
            throw EnvelopeError.openSSL("drawing random bytes")
        }
    }

    private static let randomStrengthBits: UInt32 = 256
}
