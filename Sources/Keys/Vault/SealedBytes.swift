import Crypto
import FoundationEssentials
import Secrets

/// AES-256-GCM with a fresh random nonce, as 12 bytes nonce ‖ sealed ‖ 16 bytes tag. Associated data is a list of parts,
/// each with its length as 4 bytes before it, so that no two lists give the same bytes.
enum SealedBytes {
    static let overheadBytes = 28

    static func seal(_ secret: UnsafeRawBufferPointer, key: SymmetricKey, parts: [[UInt8]]) throws -> [UInt8] {
        let box = try AES.GCM.seal(secret, using: key, authenticating: associatedData(parts))
        return Array(box.nonce) + Array(box.ciphertext) + Array(box.tag)
    }

    /// Throws `sealBroken` alone, whatever does not fit.
    static func open(_ sealed: [UInt8], key: SymmetricKey, parts: [[UInt8]]) throws(VaultError) -> SecretBytes {
        do {
            var plaintext = try AES.GCM.open(
                try AES.GCM.SealedBox(combined: sealed), using: key, authenticating: associatedData(parts))
            return SecretBytes(moving: &plaintext)
        } catch {
            throw VaultError(.sealBroken, "Sealed bytes do not open with the keys of this vault.")
        }
    }

    private static func associatedData(_ parts: [[UInt8]]) -> [UInt8] {
        parts.reduce(into: []) { bytes, part in
            withUnsafeBytes(of: UInt32(part.count).bigEndian) { bytes.append(contentsOf: $0) }
            bytes += part
        }
    }
}
