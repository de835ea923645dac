package import Crypto
import FoundationEssentials

/// Signs accepted specifications (Ed25519). Only the API holds the private key: a worker can verify, not forge.
package struct SpecificationSigner: Sendable {
    private let privateKey: Curve25519.Signing.PrivateKey

    package init(privateKey: Curve25519.Signing.PrivateKey) {
        self.privateKey = privateKey
    }

    /// - Parameter rawKey: the 32 bytes of the private key.
    package init(rawKey: [UInt8]) throws {
        privateKey = try Curve25519.Signing.PrivateKey(rawRepresentation: rawKey)
    }

    /// The 32 bytes of the public key, for the workers.
    package var publicKey: [UInt8] { Array(privateKey.publicKey.rawRepresentation) }

    package func sign(_ specification: JobSpecification) throws -> [UInt8] {
        Array(try privateKey.signature(for: specification.signedBytes))
    }
}

/// Verifies what the API signed. Several keys are accepted at once, so that the signing key can be changed.
package struct SpecificationVerifier: Sendable {
    private let isValid: @Sendable (_ signedBytes: [UInt8], _ signature: [UInt8]) -> Bool

    /// - Parameter isValid: decides on any other scheme than Ed25519.
    package init(_ isValid: @escaping @Sendable (_ signedBytes: [UInt8], _ signature: [UInt8]) -> Bool) {
        self.isValid = isValid
    }

    /// - Parameter publicKeys: 32 bytes each.
    package init(publicKeys: [[UInt8]]) throws {
        let keys = try publicKeys.map { try Curve25519.Signing.PublicKey(rawRepresentation: $0) }
        isValid = { bytes, signature in keys.contains { $0.isValidSignature(signature, for: bytes) } }
    }

    package func verify(_ specification: JobSpecification, signature: [UInt8]) -> Bool {
        isValid(specification.signedBytes, signature)
    }
}
