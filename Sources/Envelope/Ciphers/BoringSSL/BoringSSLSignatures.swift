import Crypto

// swift-crypto's two curves share no public protocol, hence each pair of classes twice. BoringSSL wipes a private key
// when the last reference to it goes.

final class P256MessageSigner: MessageSigner {
    private let key = P256.Signing.PrivateKey(compactRepresentable: false)

    var compressedPublicKey: [UInt8] { Array(key.publicKey.compressedRepresentation) }

    func sign(digest: [UInt8]) throws -> [UInt8] {
        precondition(digest.count == HashAlgorithm.sha256.byteCount, "P-256 signs digests of SHA-256.")
        return try SignatureCurve.p256.drawSignature {
            Array(try key.signature(for: ComputedDigest(bytes: digest)).derRepresentation)
        }
    }
}

final class P384MessageSigner: MessageSigner {
    private let key = P384.Signing.PrivateKey(compactRepresentable: false)

    var compressedPublicKey: [UInt8] { Array(key.publicKey.compressedRepresentation) }

    func sign(digest: [UInt8]) throws -> [UInt8] {
        precondition(digest.count == HashAlgorithm.sha384.byteCount, "P-384 signs digests of SHA-384.")
        return try SignatureCurve.p384.drawSignature {
            Array(try key.signature(for: ComputedDigest(bytes: digest)).derRepresentation)
        }
    }
}

final class P256MessageVerifier: MessageVerifier {
    private let key: P256.Signing.PublicKey

    init(_ key: P256.Signing.PublicKey) { self.key = key }

    func isValid(signature: [UInt8], digest: [UInt8]) -> Bool {
        precondition(digest.count == HashAlgorithm.sha256.byteCount, "P-256 verifies digests of SHA-256.")
        guard let signature = try? P256.Signing.ECDSASignature(derRepresentation: signature) else { return false }
        return key.isValidSignature(signature, for: ComputedDigest(bytes: digest))
    }
}

final class P384MessageVerifier: MessageVerifier {
    private let key: P384.Signing.PublicKey

    init(_ key: P384.Signing.PublicKey) { self.key = key }

    func isValid(signature: [UInt8], digest: [UInt8]) -> Bool {
        precondition(digest.count == HashAlgorithm.sha384.byteCount, "P-384 verifies digests of SHA-384.")
        guard let signature = try? P384.Signing.ECDSASignature(derRepresentation: signature) else { return false }
        return key.isValidSignature(signature, for: ComputedDigest(bytes: digest))
    }
}
