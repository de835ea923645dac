/// Which of OpenSSL's providers must do the work.
package struct OpenSSLModule: Sendable {
    /// Names for `OSSL_PROVIDER_load`, in order.
    package let providers: [String]
    /// Property query that every algorithm is fetched with.
    package let properties: String
    /// The provider that every algorithm must turn out to come from.
    package let implementer: String
    /// Whether OpenSSL's configuration file is read first, with the module's own section in it.
    package let readsConfiguration: Bool

    package init(providers: [String], properties: String, implementer: String, readsConfiguration: Bool) {
        self.providers = providers
        self.properties = properties
        self.implementer = implementer
        self.readsConfiguration = readsConfiguration
    }

    /// OpenSSL's own provider, whatever the system's configuration says.
    package static let standard = OpenSSLModule(
        providers: ["default"], properties: "provider=default", implementer: "default", readsConfiguration: false)

    /// The validated module. `base` has no cryptography, only encodings.
    package static let fips = OpenSSLModule(
        providers: ["fips", "base"], properties: "fips=yes", implementer: "fips", readsConfiguration: true)
}
