import Envelope
import Testing

@Suite struct SignatureTests {
    @Test(arguments: backendPairs, SignatureCurve.allCases)
    func oneVerifiesWhatTheOtherSigned(pair: (any CipherBackend, any CipherBackend), curve: SignatureCurve) throws {
        let signer = try pair.0.makeSigner(curve)
        let verifier = try pair.1.makeVerifier(curve, compressedPublicKey: signer.compressedPublicKey)
        for seed: UInt64 in 1...8 {
            let digest = try pair.0.digest(curve.hash, of: [pattern(100, seed: seed)])
            let signature = try signer.sign(digest: digest)
            #expect(signature.count == curve.signatureBytes)
            #expect(verifier.isValid(signature: signature, digest: digest))
        }
    }

    @Test(arguments: everyBackend, SignatureCurve.allCases)
    func anythingAlteredIsInvalid(backend: any CipherBackend, curve: SignatureCurve) throws {
        let signer = try backend.makeSigner(curve)
        let verifier = try backend.makeVerifier(curve, compressedPublicKey: signer.compressedPublicKey)
        let digest = try backend.digest(curve.hash, of: [[1, 2, 3]])
        let signature = try signer.sign(digest: digest)
        for index in signature.indices {
            var altered = signature
            altered[index] ^= 1
            #expect(!verifier.isValid(signature: altered, digest: digest))
        }
        for malformed in [[], [0x30], Array(signature.dropLast()), signature + [0], [UInt8](repeating: 0, count: 103)] {
            #expect(!verifier.isValid(signature: malformed, digest: digest))
        }
        var otherDigest = digest
        otherDigest[0] ^= 1
        #expect(!verifier.isValid(signature: signature, digest: otherDigest))
        let other = try backend.makeVerifier(curve, compressedPublicKey: try backend.makeSigner(curve).compressedPublicKey)
        #expect(!other.isValid(signature: signature, digest: digest))
    }

    /// A length that is not the shortest, in DER's terms: others accept it, strict readers must not.
    @Test(arguments: everyBackend)
    func integersWithNeedlessZeroesAreInvalid(backend: any CipherBackend) throws {
        let signer = try backend.makeSigner(.p384)
        let verifier = try backend.makeVerifier(.p384, compressedPublicKey: signer.compressedPublicKey)
        let digest = try backend.digest(.sha384, of: [[7]])
        let signature = try signer.sign(digest: digest)
        // SEQUENCE length · INTEGER length · number …: one zero more in front of the first number.
        var padded = signature
        padded[1] += 1
        padded[3] += 1
        padded.insert(0, at: 4)
        #expect(!verifier.isValid(signature: padded, digest: digest))
    }

    @Test(arguments: everyBackend, SignatureCurve.allCases)
    func pointsThatAreNoneOfTheCurveAreRefused(backend: any CipherBackend, curve: SignatureCurve) throws {
        let point = try backend.makeSigner(curve).compressedPublicKey
        #expect(point.count == (curve == .p256 ? 33 : 49) && (2...3).contains(point[0]))
        let beyondTheField = [2] + [UInt8](repeating: 0xFF, count: point.count - 1)
        let wrong: [[UInt8]] = [
            [], [0], Array(point.dropLast()), point + [0], [4] + point.dropFirst(), [0] + point.dropFirst(), beyondTheField,
        ]
        for bytes in wrong {
            #expect(throws: EnvelopeError.authentication) { try backend.makeVerifier(curve, compressedPublicKey: bytes) }
        }
    }

    @Test(arguments: everyBackend)
    func everySignerHasAKeyOfItsOwn(backend: any CipherBackend) throws {
        let points = try (0..<8).map { _ in try backend.makeSigner(.p384).compressedPublicKey }
        #expect(Set(points).count == 8)
    }
}
