package import Secrets

/// The library that does the cryptography: all that a message needs goes through it, so that whoever must use a
/// validated module uses it for everything. The rest of this module knows the format and no cipher.
package protocol CipherBackend: Sendable {
    /// Name for people, as in `--cipher`.
    var name: String { get }

    /// AES-GCM under `key`, which is copied: 32 bytes, or 16 and 24 for reading older suites. Throws `invalidInput`.
    func makeCipher(key: UnsafeRawBufferPointer) throws -> any FrameCipher

    /// HKDF (RFC 5869) with `hash`: one input key and salt, one expansion into each output. An output holds between 1
    /// and 255 digests' worth of bytes; others throw `invalidInput`.
    func deriveHKDF(
        _ hash: HashAlgorithm, inputKey: UnsafeRawBufferPointer, salt: UnsafeRawBufferPointer,
        outputs: [(info: [UInt8], bytes: UnsafeMutableRawBufferPointer)]) throws

    func makeDigest(_ hash: HashAlgorithm) throws -> any RunningDigest

    /// A fresh key pair for one message.
    func makeSigner(_ curve: SignatureCurve) throws -> any MessageSigner

    /// Takes a point in SEC 1's compressed form. Throws `authentication` for what is none of the curve's.
    func makeVerifier(_ curve: SignatureCurve, compressedPublicKey: [UInt8]) throws -> any MessageVerifier

    /// Random bytes for data keys, message ids and nonces.
    func fillRandom(_ bytes: UnsafeMutableRawBufferPointer) throws
}

extension CipherBackend {
    /// Random bytes of which nothing is secret: message ids and nonces.
    package func randomBytes(_ count: Int) throws -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        try bytes.withUnsafeMutableBytes { try fillRandom($0) }
        return bytes
    }

    /// A fresh secret, drawn straight into locked memory.
    package func randomSecret(_ count: Int) throws -> SharedSecret {
        SharedSecret(try SecretBytes(count: count) { try fillRandom($0) })
    }
}
