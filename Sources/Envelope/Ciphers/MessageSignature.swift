/// Curve of a signed suite, which fixes the digest too: P-256 with SHA-256, P-384 with SHA-384.
package enum SignatureCurve: Sendable, CaseIterable {
    case p256, p384

    package var hash: HashAlgorithm { self == .p256 ? .sha256 : .sha384 }

    /// Length of a coordinate.
    var coordinateBytes: Int { self == .p256 ? 32 : 48 }

    /// Length of a point in SEC 1's compressed form: `02` or `03`, then the first coordinate.
    var compressedPointBytes: Int { 1 + coordinateBytes }

    /// Length of every signature that is made here, in DER: 71 or 103 bytes.
    ///
    /// DER's integers grow by a byte where their top bit is set, so that signatures differ in length. The official
    /// SDKs make them all as long as the likeliest, and so does this: a file's length is known before it is written.
    package var signatureBytes: Int { 7 + 2 * coordinateBytes }

    /// Draws signatures until one has the length of all. Every second one has: only a broken generator needs more than
    /// ``maximumDraws``. Whether a number's top bit is set is seen in the signature, so choosing by it reveals nothing.
    func drawSignature(_ draw: () throws -> [UInt8]) throws -> [UInt8] {
        for _ in 0..<Self.maximumDraws {
            let signature = try draw()
            if signature.count == signatureBytes { return signature }
        }
        throw EnvelopeError.cipherFailed("No signature of \(signatureBytes) bytes was found.")
    }

    private static let maximumDraws = 128

    /// Throws `authentication` unless the bytes may be a compressed point.
    func checkCompressedPoint(_ bytes: [UInt8]) throws(EnvelopeError) {
        guard bytes.count == compressedPointBytes, bytes[0] == 2 || bytes[0] == 3 else { throw .authentication }
    }
}

/// One message's key pair. The private key never leaves the library and is wiped with this object.
package protocol MessageSigner: AnyObject, Sendable {
    /// SEC 1's compressed form.
    var compressedPublicKey: [UInt8] { get }

    /// ECDSA over `digest`, which has the length of the curve's hash: DER of ``SignatureCurve/signatureBytes`` bytes.
    func sign(digest: [UInt8]) throws -> [UInt8]
}

package protocol MessageVerifier: AnyObject, Sendable {
    /// False for a signature of another digest or key, and for what is not DER.
    func isValid(signature: [UInt8], digest: [UInt8]) -> Bool
}
