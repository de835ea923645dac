package import Secrets

/// Where data keys come from: KMS, or a key file.
package protocol DataKeyProvider: Sendable {
    /// A fresh data key of 32 bytes bound to `context`, and its encrypted forms for the header.
    func generate(context: EncryptionContext) async throws -> GeneratedDataKey

    /// `dataKey`, which another provider made, encrypted for this one's holders too. The caller keeps and wipes the data key.
    func wrap(_ dataKey: SharedSecret, context: EncryptionContext) async throws -> [EncryptedDataKey]

    /// Opens one of `keys`, trying all that may be this provider's. Throws `EnvelopeError.authentication` where none
    /// opens; a provider that asks a server throws that server's refusal instead, so that people learn of it.
    func open(_ keys: [EncryptedDataKey], context: EncryptionContext) async throws -> SharedSecret
}

extension DataKeyProvider {
    /// Providers with a single recipient, and those that only open.
    package func wrap(_ dataKey: SharedSecret, context: EncryptionContext) async throws -> [EncryptedDataKey] {
        throw EnvelopeError.invalidInput("This key provider takes no data keys of others.")
    }
}

package struct GeneratedDataKey: Sendable {
    package let secret: SharedSecret
    package let encrypted: [EncryptedDataKey]

    package init(secret: SharedSecret, encrypted: [EncryptedDataKey]) {
        self.secret = secret
        self.encrypted = encrypted
    }
}
