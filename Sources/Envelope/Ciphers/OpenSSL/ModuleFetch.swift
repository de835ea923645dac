import COpenSSL

/// Fetches algorithms and checks where they come from: a property query is only as good as the configuration around it.
struct ModuleFetch {
    let context: OpaquePointer
    let module: OpenSSLModule

    func cipher(_ name: String) throws(EnvelopeError) -> OpaquePointer {
        try checked(name, EVP_CIPHER_fetch(context, name, module.properties), EVP_CIPHER_get0_provider, EVP_CIPHER_free)
    }

    func digest(_ name: String) throws(EnvelopeError) -> OpaquePointer {
        try checked(name, EVP_MD_fetch(context, name, module.properties), EVP_MD_get0_provider, EVP_MD_free)
    }

    func derivation(_ name: String) throws(EnvelopeError) -> OpaquePointer {
        try checked(name, EVP_KDF_fetch(context, name, module.properties), EVP_KDF_get0_provider, EVP_KDF_free)
    }

    /// Keys and signatures are fetched by name each time they are used; here is only seen where from.
    func checkSignatures() throws(EnvelopeError) {
        EVP_KEYMGMT_free(
            try checked("EC", EVP_KEYMGMT_fetch(context, "EC", module.properties), EVP_KEYMGMT_get0_provider, EVP_KEYMGMT_free))
        EVP_SIGNATURE_free(
            try checked(
                "ECDSA", EVP_SIGNATURE_fetch(context, "ECDSA", module.properties), EVP_SIGNATURE_get0_provider,
                EVP_SIGNATURE_free))
    }

    /// The generator that `RAND_bytes_ex` draws from.
    func checkRandom() throws(EnvelopeError) {
        guard let generator = RAND_get0_public(context) else {
            throw .unavailable(module, "it has no random generator")
        }
        try check("random generator", EVP_RAND_get0_provider(EVP_RAND_CTX_get0_rand(generator)))
    }

    private func checked(
        _ name: String, _ fetched: OpaquePointer?, _ provider: (OpaquePointer?) -> OpaquePointer?,
        _ free: (OpaquePointer?) -> Void
    ) throws(EnvelopeError) -> OpaquePointer {
        guard let fetched else { throw .unavailable(module, "it has no \(name)") }
        do {
            try check(name, provider(fetched))
            return fetched
        } catch {
            free(fetched)
            throw error
        }
    }

    private func check(_ name: String, _ provider: OpaquePointer?) throws(EnvelopeError) {
        let found = provider.flatMap { OSSL_PROVIDER_get0_name($0) }.map { String(cString: $0) }
        guard found == module.implementer else {
            throw .unavailable(module, "\(name) comes from the provider \"\(found ?? "none")\"")
        }
    }
}

extension EnvelopeError {
    /// Tells what to do where the validated module is missing. Takes the thread's OpenSSL errors away.
    static func unavailable(_ module: OpenSSLModule, _ what: String) -> EnvelopeError {
        var message = "OpenSSL cannot be used as asked: \(what)\(OpenSSLErrors.takeReason().map { " (\($0))" } ?? "")."
        if module.implementer == OpenSSLModule.fips.implementer {
            message += """
                 Install a validated FIPS module, run "openssl fipsinstall -module …/fips.so -out fipsmodule.cnf", and include \
                that file in the OpenSSL configuration that OPENSSL_CONF names (OPENSSL_MODULES names the module's folder).
                """
        }
        return .providerUnavailable(message)
    }

    /// A call that fails for want of memory, or because a module went into its error state.
    static func openSSL(_ what: String) -> EnvelopeError {
        .cipherFailed("OpenSSL failed at \(what)\(OpenSSLErrors.takeReason().map { ": \($0)" } ?? "").")
    }
}

/// The thread's queue of OpenSSL errors. Whoever sees a call fail takes them away, so that none is told of later.
enum OpenSSLErrors {
    static func clear() { ERR_clear_error() }

    /// The first one's reason, a fixed text of the library's, and none is left.
    static func takeReason() -> String? {
        defer { clear() }
        return ERR_reason_error_string(ERR_peek_error()).map { String(cString: $0) }
    }
}
