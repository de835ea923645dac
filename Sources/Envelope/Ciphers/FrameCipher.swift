package import Secrets

/// AES-GCM under one key, used by several threads at once. Nonces have 12 bytes, tags 16; a nonce must never be given
/// twice with different plaintexts.
///
/// Other nonce lengths throw: `invalidInput` from `seal`, `authentication` from `open`, which throws the latter for
/// everything that it does not verify. After `wipe()` both throw `SecretError.wiped`; calls under way end first.
///
/// Both work in place too: `plaintext` may begin exactly where `sealed` begins.
package protocol FrameCipher: Wipeable {
    /// Writes ciphertext and tag: `plaintext.count` + 16 bytes.
    func seal(
        _ plaintext: UnsafeRawBufferPointer, nonce: UnsafeRawBufferPointer, associatedData: UnsafeRawBufferPointer,
        into sealed: UnsafeMutableRawBufferPointer) throws

    /// Reads ciphertext and tag, writes `sealed.count` − 16 bytes of plaintext. When the tag does not fit, the buffer
    /// holds nothing of the plaintext.
    func open(
        _ sealed: UnsafeRawBufferPointer, nonce: UnsafeRawBufferPointer, associatedData: UnsafeRawBufferPointer,
        into plaintext: UnsafeMutableRawBufferPointer) throws
}
