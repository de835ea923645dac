package import Secrets

/// Seals the secrets of access keys and sessions for the database; `Keys` does it with the vault's root key.
///
/// A label names what the secret belongs to (`access-key/AKIA…`) and is bound to the sealed bytes: under another label they
/// do not open.
package protocol SecretSealer: Sendable {
    func seal(_ secret: SharedSecret, label: String) async throws -> [UInt8]
    func open(_ sealed: [UInt8], label: String) async throws -> SharedSecret
}
