import COpenSSL

/// An `EVP_PKEY`. Freed keys are cleansed by OpenSSL.
final class OpenSSLKey: @unchecked Sendable {
    // Sendable: the key is not changed after it was made, and each use has an `EVP_PKEY_CTX` of its own.
    private let handle: OpaquePointer
    private let library: OpenSSLLibrary
    private let curve: SignatureCurve

    /// A fresh key pair.
    init(generating curve: SignatureCurve, library: OpenSSLLibrary) throws {
        guard let handle = copenssl_generate_key(library.context, library.properties, curve.openSSLName) else {
            throw EnvelopeError.openSSL("making a key pair")
        }
        (self.handle, self.library, self.curve) = (handle, library, curve)
    }

    /// A public key. Throws `authentication` for what is no point of the curve.
    init(point: [UInt8], on curve: SignatureCurve, library: OpenSSLLibrary) throws(EnvelopeError) {
        try curve.checkCompressedPoint(point)
        guard let handle = copenssl_public_key(library.context, library.properties, curve.openSSLName, point, point.count)
        else {
            OpenSSLErrors.clear()
            throw .authentication
        }
        (self.handle, self.library, self.curve) = (handle, library, curve)
    }

    deinit { EVP_PKEY_free(handle) }

    /// Compressed here, because versions of OpenSSL differ in which form they give when asked.
    func compressedPoint() throws -> [UInt8] {
        var point = [UInt8](repeating: 0, count: 1 + 2 * curve.coordinateBytes)
        guard copenssl_uncompressed_point(handle, &point, point.count) == 1, let last = point.last else {
            throw EnvelopeError.openSSL("reading a public key")
        }
        return [2 + (last & 1)] + point[1...curve.coordinateBytes]
    }

    /// Lends a context that `begin` made ready for signing or verifying digests of the curve's hash.
    func withContext<R>(_ begin: (OpaquePointer) -> Int32, _ body: (OpaquePointer) throws -> R) throws -> R {
        guard let context = EVP_PKEY_CTX_new_from_pkey(library.context, handle, library.properties) else {
            throw EnvelopeError.openSSL("making a signature context")
        }
        defer { EVP_PKEY_CTX_free(context) }
        guard begin(context) == 1, EVP_PKEY_CTX_set_signature_md(context, library.digest(curve.hash)) == 1 else {
            throw EnvelopeError.openSSL("beginning a signature")
        }
        return try body(context)
    }
}

final class OpenSSLSigner: MessageSigner {
    let compressedPublicKey: [UInt8]
    private let key: OpenSSLKey
    private let curve: SignatureCurve

    init(library: OpenSSLLibrary, curve: SignatureCurve) throws {
        key = try OpenSSLKey(generating: curve, library: library)
        compressedPublicKey = try key.compressedPoint()
        self.curve = curve
    }

    func sign(digest: [UInt8]) throws -> [UInt8] {
        precondition(digest.count == curve.hash.byteCount, "A curve signs digests of its own hash.")
        return try key.withContext(EVP_PKEY_sign_init) { context in
            try curve.drawSignature {
                // The longest is a byte longer for each of the two numbers than the shortest of the likely ones.
                var count = curve.signatureBytes + 2
                var signature = [UInt8](repeating: 0, count: count)
                guard EVP_PKEY_sign(context, &signature, &count, digest, digest.count) == 1 else {
                    throw EnvelopeError.openSSL("signing")
                }
                return Array(signature[..<count])
            }
        }
    }
}

final class OpenSSLVerifier: MessageVerifier {
    private let key: OpenSSLKey
    private let curve: SignatureCurve

    init(library: OpenSSLLibrary, curve: SignatureCurve, compressedPublicKey: [UInt8]) throws {
        key = try OpenSSLKey(point: compressedPublicKey, on: curve, library: library)
        self.curve = curve
    }

    func isValid(signature: [UInt8], digest: [UInt8]) -> Bool {
        precondition(digest.count == curve.hash.byteCount, "A curve verifies digests of its own hash.")
        defer { OpenSSLErrors.clear() }
        let result = try? key.withContext(EVP_PKEY_verify_init) { context in
            EVP_PKEY_verify(context, signature, signature.count, digest, digest.count)
        }
        return result == 1
    }
}
