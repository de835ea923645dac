import CLinux
import Crypto

/// BoringSSL through swift-crypto's public API.
package struct BoringSSLBackend: CipherBackend {
    package init() {}

    package var name: String { "boringssl" }

    package func makeCipher(key: UnsafeRawBufferPointer) throws -> any FrameCipher {
        guard [16, 24, 32].contains(key.count) else { throw EnvelopeError.invalidInput("A key has 16, 24 or 32 bytes.") }
        return BoringSSLCipher(SymmetricKey(data: key))
    }

    package func deriveHKDF(
        _ hash: HashAlgorithm, inputKey: UnsafeRawBufferPointer, salt: UnsafeRawBufferPointer,
        outputs: [(info: [UInt8], bytes: UnsafeMutableRawBufferPointer)]
    ) throws {
        try hash.checkDerived(outputs)
        switch hash {
        case .sha256: WipingHKDF<SHA256>.derive(inputKey: inputKey, salt: salt, outputs: outputs)
        case .sha384: WipingHKDF<SHA384>.derive(inputKey: inputKey, salt: salt, outputs: outputs)
        case .sha512: WipingHKDF<SHA512>.derive(inputKey: inputKey, salt: salt, outputs: outputs)
        }
    }

    package func makeDigest(_ hash: HashAlgorithm) throws -> any RunningDigest {
        switch hash {
        case .sha256: BoringSSLDigest(SHA256())
        case .sha384: BoringSSLDigest(SHA384())
        case .sha512: BoringSSLDigest(SHA512())
        }
    }

    package func makeSigner(_ curve: SignatureCurve) throws -> any MessageSigner {
        switch curve {
        case .p256: P256MessageSigner()
        case .p384: P384MessageSigner()
        }
    }

    package func makeVerifier(_ curve: SignatureCurve, compressedPublicKey: [UInt8]) throws -> any MessageVerifier {
        try curve.checkCompressedPoint(compressedPublicKey)
        do {
            return switch curve {
            case .p256: P256MessageVerifier(try P256.Signing.PublicKey(compressedRepresentation: compressedPublicKey))
            case .p384: P384MessageVerifier(try P384.Signing.PublicKey(compressedRepresentation: compressedPublicKey))
            }
        } catch {
            throw EnvelopeError.authentication
        }
    }

    /// The kernel's source, which is also BoringSSL's own.
    package func fillRandom(_ bytes: UnsafeMutableRawBufferPointer) throws {
        guard let base = bytes.baseAddress else { return }
        guard clinux_random(base, bytes.count) == 0 else {
            throw EnvelopeError.cipherFailed("The kernel's random source answered with an error.")
        }
    }
}
