import COpenSSL

/// A library context of our own, with its providers and the algorithms fetched from them.
///
/// It lives as long as the process: OpenSSL keeps random generators for each thread that used a context and touches the
/// context again when the thread ends, and nobody can say when the last of them did.
final class OpenSSLLibrary: @unchecked Sendable {
    // Sendable: written by the initialiser alone; contexts and fetched algorithms may be used by any thread.
    let context: OpaquePointer
    let properties: String
    let hkdf: OpaquePointer
    private let ciphers: [Int: OpaquePointer]
    private let digests: [HashAlgorithm: OpaquePointer]

    /// The two that backends share.
    static let standard = Result { () throws(EnvelopeError) in try OpenSSLLibrary(.standard) }
    static let fips = Result { () throws(EnvelopeError) in try OpenSSLLibrary(.fips) }

    /// Throws `providerUnavailable` unless every algorithm is there and comes from the module.
    init(_ module: OpenSSLModule) throws(EnvelopeError) {
        guard let context = OSSL_LIB_CTX_new() else { throw .openSSL("making a library context") }
        do throws(EnvelopeError) {
            try Self.loadProviders(of: module, into: context)
            let fetch = ModuleFetch(context: context, module: module)
            var ciphers: [Int: OpaquePointer] = [:]
            for keyBytes in [16, 24, 32] { ciphers[keyBytes] = try fetch.cipher("AES-\(8 * keyBytes)-GCM") }
            var digests: [HashAlgorithm: OpaquePointer] = [:]
            for hash in HashAlgorithm.allCases { digests[hash] = try fetch.digest(hash.openSSLName) }
            hkdf = try fetch.derivation("HKDF")
            try fetch.checkSignatures()
            try fetch.checkRandom()
            self.ciphers = ciphers
            self.digests = digests
        } catch {
            // Nobody used it but this thread, and fetched algorithms hold references of their own.
            OSSL_LIB_CTX_free(context)
            throw error
        }
        self.context = context
        properties = module.properties
    }

    /// `nil` for lengths that AES does not have.
    func cipher(keyBytes: Int) -> OpaquePointer? { ciphers[keyBytes] }

    func digest(_ hash: HashAlgorithm) -> OpaquePointer { digests[hash]! }

    private static func loadProviders(of module: OpenSSLModule, into context: OpaquePointer) throws(EnvelopeError) {
        if module.readsConfiguration {
            guard let path = CONF_get1_default_config_file() else { throw .openSSL("finding its configuration") }
            defer { CRYPTO_free(path, #file, #line) }
            guard OSSL_LIB_CTX_load_config(context, path) == 1 else {
                throw .unavailable(module, "its configuration \(String(cString: path)) could not be read")
            }
        }
        for name in module.providers {
            guard OSSL_PROVIDER_load(context, name) != nil else {
                throw .unavailable(module, "its provider \"\(name)\" could not be loaded")
            }
        }
        guard EVP_set_default_properties(context, module.properties) == 1 else {
            throw .openSSL("setting the property query \(module.properties)")
        }
    }
}

extension HashAlgorithm {
    var openSSLName: String {
        switch self {
        case .sha256: "SHA2-256"
        case .sha384: "SHA2-384"
        case .sha512: "SHA2-512"
        }
    }
}

extension SignatureCurve {
    var openSSLName: String { self == .p256 ? "P-256" : "P-384" }
}
