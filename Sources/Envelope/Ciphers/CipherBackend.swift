package import Secrets

/// The library that does the cryptography. The rest of the module knows the format and no cipher.
package protocol CipherBackend: Sendable {
    /// Name for people, as in `--cipher`.
    var name: String { get }

    /// AES-256-GCM under `key` (32 bytes), which is copied.
    func makeCipher(key: UnsafeRawBufferPointer) throws -> any FrameCipher

    /// HKDF with SHA-512 (RFC 5869): one extraction, then one expansion into each output.
    func deriveSHA512(
        inputKey: UnsafeRawBufferPointer, salt: UnsafeRawBufferPointer,
        outputs: [(info: [UInt8], bytes: UnsafeMutableRawBufferPointer)]) throws
}

/// AES-256-GCM under one key, used by several threads at once. Nonces have 12 bytes, tags 16; a nonce must never
/// be given twice with different plaintexts.
///
/// Throws `EnvelopeError.authentication` from `open`, `SecretError.wiped` after `wipe()`.
package protocol FrameCipher: Wipeable {
    /// Writes ciphertext and tag: `plaintext.count` + 16 bytes.
    func seal(
        _ plaintext: UnsafeRawBufferPointer, nonce: UnsafeRawBufferPointer, associatedData: UnsafeRawBufferPointer,
        into sealed: UnsafeMutableRawBufferPointer) throws

    /// Reads ciphertext and tag, writes `sealed.count` − 16 bytes of plaintext; none of them before the tag was verified.
    func open(
        _ sealed: UnsafeRawBufferPointer, nonce: UnsafeRawBufferPointer, associatedData: UnsafeRawBufferPointer,
        into plaintext: UnsafeMutableRawBufferPointer) throws
}
