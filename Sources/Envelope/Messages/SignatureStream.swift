import Synchronization

/// The signature over a message's header and body, made or verified while the bytes pass: each byte once, in order. The
/// sealer and the opener have fed in the header.
///
/// Updates may come from several threads, one after the other in the message's order.
package final class SignatureStream: Sendable {
    private enum Role: Sendable {
        case signer(any MessageSigner)
        case verifier(any MessageVerifier)
    }

    private struct State: Sendable {
        /// `nil` once the signature was made or looked at.
        var digest: (any RunningDigest)?
        var role: Role?
        /// The digest's fault, told at the end.
        var failure: (any Error)?
    }

    private let state: Mutex<State>
    private let curve: SignatureCurve

    /// A fresh key pair for a message to be sealed; its public half belongs into the context.
    static func signing(
        _ curve: SignatureCurve, backend: any CipherBackend
    ) throws -> (stream: SignatureStream, compressedPublicKey: [UInt8]) {
        let signer = try backend.makeSigner(curve)
        let stream = SignatureStream(curve, .signer(signer), try backend.makeDigest(curve.hash))
        return (stream, signer.compressedPublicKey)
    }

    /// Throws `authentication` where the bytes are no point of the curve.
    static func verifying(
        _ curve: SignatureCurve, compressedPublicKey: [UInt8], backend: any CipherBackend
    ) throws -> SignatureStream {
        let verifier = try backend.makeVerifier(curve, compressedPublicKey: compressedPublicKey)
        return SignatureStream(curve, .verifier(verifier), try backend.makeDigest(curve.hash))
    }

    private init(_ curve: SignatureCurve, _ role: Role, _ digest: any RunningDigest) {
        self.curve = curve
        state = Mutex(State(digest: digest, role: role))
    }

    package func update(_ bytes: UnsafeRawBufferPointer) {
        state.withLock { state in
            guard state.failure == nil, let digest = state.digest else {
                return state.failure = state.failure ?? EnvelopeError.invalidInput("The signature has ended.")
            }
            do { try digest.update(bytes) } catch { state.failure = error }
        }
    }

    package func update(_ bytes: [UInt8]) { bytes.withUnsafeBytes { update($0) } }

    /// The footer of a message that is sealed: length (2), then the signature in DER, ``FrameLayout/footerBytes(_:)`` in
    /// all. Once only.
    package func footer() throws -> [UInt8] {
        let (role, digest) = try finish()
        guard case .signer(let signer) = role else { preconditionFailure("A message that is opened is not signed.") }
        let signature = try signer.sign(digest: digest)
        precondition(signature.count == curve.signatureBytes, "internal: a signature of another length than all have")
        var footer: [UInt8] = []
        footer.append(lengthPrefixed: signature)
        return footer
    }

    /// `footer` is all that follows the body. Throws `authentication` unless it is one signature, this message's. Once only.
    package func verify(footer: UnsafeRawBufferPointer) throws {
        let (role, digest) = try finish()
        guard case .verifier(let verifier) = role else { preconditionFailure("A message that is sealed is not verified.") }
        let lengths = SignatureCurve.minimumSignatureBytes...curve.maximumSignatureBytes
        guard footer.count >= 2, case let length = Int(footer[0]) << 8 | Int(footer[1]), lengths.contains(length),
            footer.count == 2 + length, verifier.isValid(signature: Array(footer[2...]), digest: digest)
        else { throw EnvelopeError.authentication }
    }

    /// Forgets the key. Later uses throw.
    func wipe() {
        state.withLock { state in
            state.role = nil
            state.digest = nil
        }
    }

    private func finish() throws -> (Role, [UInt8]) {
        try state.withLock { state in
            defer {
                state.role = nil
                state.digest = nil
            }
            if let failure = state.failure { throw failure }
            guard let role = state.role, let digest = state.digest else {
                throw EnvelopeError.invalidInput("The signature has ended.")
            }
            return (role, try digest.finish())
        }
    }
}

extension FrameLayout {
    /// Footer of a message that is sealed here: 2 + 103 bytes with a signature, otherwise 0.
    package static func footerBytes(_ suite: AlgorithmSuite) -> Int {
        suite.signatureCurve.map { 2 + $0.signatureBytes } ?? 0
    }

    /// Longest footer of a message of anybody's: what a reader of a pipe must be ready to hold.
    package static func maximumFooterBytes(_ suite: AlgorithmSuite) -> Int {
        suite.signatureCurve.map { 2 + $0.maximumSignatureBytes } ?? 0
    }
}
