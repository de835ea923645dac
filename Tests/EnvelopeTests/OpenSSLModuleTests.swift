import Envelope
import Testing

/// Which provider does the work. A FIPS module is not part of Debian; where none is installed, only its refusal can be seen
/// for real, and the rest with the default provider in its place.
@Suite struct OpenSSLModuleTests {
    private static let fipsBackend = Result { try OpenSSLBackend(requireFIPS: true) }
    private static var hasFIPS: Bool { if case .success = fipsBackend { true } else { false } }

    @Test(.disabled(if: hasFIPS, "a FIPS module is installed"))
    func requiringFIPSWithoutTheModuleIsRefusedAndSaysWhatToDo() throws {
        let error = try #require(throws: EnvelopeError.self) { try OpenSSLBackend(requireFIPS: true) }
        #expect(error.code == .providerUnavailable)
        #expect(!error.isRetriable)
        for part in ["fips", "openssl fipsinstall", "OPENSSL_CONF", "OPENSSL_MODULES"] {
            #expect(error.message.contains(part), "\(error.message)")
        }
    }

    @Test(.enabled(if: hasFIPS, "no FIPS module is installed"))
    func theFIPSModuleSealsWhatOthersOpen() throws {
        let (fips, other) = (try Self.fipsBackend.get(), BoringSSLBackend())
        let (key, nonce) = (pattern(32), [UInt8](1...12))
        let sealed = try fips.cipher(key: key).seal(pattern(1000), nonce: nonce)
        #expect(try other.cipher(key: key).open(sealed, nonce: nonce).plaintext == pattern(1000))
    }

    /// The configuration could name a module "fips" and still leave other implementations within reach.
    @Test func implementationsOfAnotherProviderAreRefused() throws {
        let module = OpenSSLModule(
            providers: ["default"], properties: "provider=default", implementer: "fips", readsConfiguration: false)
        let error = try #require(throws: EnvelopeError.self) { try OpenSSLBackend(module: module) }
        #expect(error.code == .providerUnavailable)
        #expect(error.message.contains("comes from the provider \"default\""), "\(error.message)")
    }

    @Test func nothingIsFetchedThatDoesNotFitTheProperties() throws {
        let module = OpenSSLModule(
            providers: ["default"], properties: "fips=yes", implementer: "default", readsConfiguration: false)
        let error = try #require(throws: EnvelopeError.self) { try OpenSSLBackend(module: module) }
        #expect(error.code == .providerUnavailable)
    }

    @Test func aModuleWithoutAlgorithmsIsRefused() throws {
        let module = OpenSSLModule(providers: ["base"], properties: "", implementer: "base", readsConfiguration: false)
        #expect(throws: EnvelopeError.self) { try OpenSSLBackend(module: module) }
    }

    /// The way of the FIPS module, from the configuration to the check of every implementation, with another provider.
    @Test func everythingComesFromTheProviderThatWasAskedFor() throws {
        let module = OpenSSLModule(
            providers: ["default", "base"], properties: "provider=default", implementer: "default", readsConfiguration: true)
        let (backend, other) = (try OpenSSLBackend(module: module), BoringSSLBackend())
        let (key, nonce) = (pattern(32), [UInt8](1...12))
        let sealed = try backend.cipher(key: key).seal(pattern(1000), nonce: nonce)
        #expect(try other.cipher(key: key).open(sealed, nonce: nonce).plaintext == pattern(1000))
        let signer = try backend.makeSigner(.p384)
        let digest = try backend.digest(.sha384, of: [[1]])
        let verifier = try other.makeVerifier(.p384, compressedPublicKey: signer.compressedPublicKey)
        #expect(verifier.isValid(signature: try signer.sign(digest: digest), digest: digest))
        #expect(try backend.randomBytes(32) != backend.randomBytes(32))
    }
}
