import Crypto
import FoundationEssentials
import Secrets

/// AES-256-GCM with a fresh random nonce. Associated data is a list of parts, each with its length as 4 bytes before it, so that
/// no two lists give the same bytes.
///
/// Layout (integers big endian):
///
///     beginning    8 bytes, `FCROOTKY`
///     version      4 bytes, of the root key that the sealing key comes from
///     nonce        12 bytes
///     sealed       as long as the secret
///     tag          16 bytes
///
/// What was sealed before root keys had versions begins with the nonce and is of version 1. That a nonce begins like this by
/// chance is one in 2^64.
struct SealedBytes {
    static let beginning = Array("FCROOTKY".utf8)
    static let headerBytes = 12
    static let overheadBytes = headerBytes + 28

    /// Of the root key.
    let version: Int
    private let box: ArraySlice<UInt8>

    init(_ bytes: [UInt8]) {
        guard bytes.count >= Self.overheadBytes, bytes.starts(with: Self.beginning) else {
            version = 1
            box = bytes[...]
            return
        }
        version = bytes[8..<12].reduce(0) { $0 << 8 | Int($1) }
        box = bytes[12...]
    }

    static func seal(
        _ secret: UnsafeRawBufferPointer, key: SymmetricKey, version: Int, parts: [[UInt8]]
    ) throws -> [UInt8] {
        let box = try AES.GCM.seal(secret, using: key, authenticating: associatedData(parts))
        let header = beginning + withUnsafeBytes(of: UInt32(version).bigEndian) { Array($0) }
        return header + Array(box.nonce) + Array(box.ciphertext) + Array(box.tag)
    }

    /// Throws `sealBroken` alone, whatever does not fit.
    func open(key: SymmetricKey, parts: [[UInt8]]) throws(VaultError) -> SecretBytes {
        do {
            var plaintext = try AES.GCM.open(
                try AES.GCM.SealedBox(combined: box), using: key, authenticating: Self.associatedData(parts))
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
