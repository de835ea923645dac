import AWSProtocol
import Crypto

/// A grant token: proof that CreateGrant answered with this grant. No secret, never listed, never in the trail.
///
/// Base64 of: version 2 (1 byte), grant id (32 bytes), random (16 bytes), HMAC-SHA256 over all of it (32 bytes). So every
/// answer carries another token, and all tokens of a grant say the same. Here grants work at once everywhere; tokens are
/// checked all the same, so that a client learns of a wrong one.
///
/// The key comes from a secret of the vault that no rotation changes. Tokens of version 1 came from the root key: they are
/// taken as long as the root key that they came from is open.
package struct GrantTokens: Sendable {
    static let maximumCharacters = 8192
    static let maximumCount = 10
    private static let version: UInt8 = 2
    private static let bodyBytes = 1 + 32 + 16
    private static let macBytes = 32

    private let key: SymmetricKey
    private let olderKeys: [SymmetricKey]

    package init(vault: Vault) throws {
        (key, olderKeys) = try vault.tokenKeys()
    }

    package func issue(for grantID: String) -> String {
        guard let id = Hex.decode(grantID), id.count == 32 else {
            preconditionFailure("A grant id has 64 hexadecimal digits.")
        }
        let body = [Self.version] + id + randomBytes(16)
        return Base64.encode(body + Array(HMAC<SHA256>.authenticationCode(for: body, using: key)))
    }

    /// The grant that the token was issued for, whether it still exists or not.
    package func grantID(of token: String) throws(KeyError) -> String {
        guard token.utf8.count <= Self.maximumCharacters, let bytes = Base64.decode(token),
            bytes.count == Self.bodyBytes + Self.macBytes, bytes[0] == Self.version || bytes[0] == 1
        else { throw .invalidGrantToken }
        let keys = bytes[0] == Self.version ? [key] : olderKeys
        let isOurs = keys.contains { key in
            HMAC<SHA256>.isValidAuthenticationCode(
                bytes[Self.bodyBytes...], authenticating: bytes[..<Self.bodyBytes], using: key)
        }
        guard isOurs else { throw .invalidGrantToken }
        return Hex.encode(bytes[1..<33])
    }
}
