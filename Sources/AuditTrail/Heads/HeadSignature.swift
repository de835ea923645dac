import AWSProtocol
package import Crypto
import FoundationEssentials

/// Signs exported heads (Ed25519). The private key lies outside PostgreSQL: whoever holds the database cannot forge an export.
package struct HeadSigner: Sendable {
    private let privateKey: Curve25519.Signing.PrivateKey
    /// Names the key in an export.
    package let keyID: String

    package init(privateKey: Curve25519.Signing.PrivateKey) {
        self.privateKey = privateKey
        keyID = HeadVerifier.keyID(of: Array(privateKey.publicKey.rawRepresentation))
    }

    package func sign(_ text: String) throws -> [UInt8] {
        Array(try privateKey.signature(for: HeadVerifier.signedBytes(of: text)))
    }
}

/// Verifies exported heads. Several keys are accepted at once, so that the signing key can be changed.
package struct HeadVerifier: Sendable {
    private let keys: [String: Curve25519.Signing.PublicKey]

    /// - Parameter publicKeys: 32 bytes each.
    package init(publicKeys: [[UInt8]]) throws {
        keys = try Dictionary(
            publicKeys.map { (Self.keyID(of: $0), try Curve25519.Signing.PublicKey(rawRepresentation: $0)) },
            uniquingKeysWith: { $1 })
    }

    package func isValid(_ signature: [UInt8], of text: String, by keyID: String) -> Bool {
        keys[keyID]?.isValidSignature(signature, for: Self.signedBytes(of: text)) ?? false
    }

    /// The first 8 bytes of the public key's SHA-256, in hexadecimal.
    package static func keyID(of publicKey: [UInt8]) -> String { Hex.encode(SHA256.hash(data: publicKey).prefix(8)) }

    /// Set apart from everything else that such a key might ever sign.
    package static func signedBytes(of text: String) -> [UInt8] { Array("forecastle audit heads\n".utf8) + Array(text.utf8) }
}
