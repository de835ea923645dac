import AWSProtocol
import Catalog
import Crypto
package import FoundationEssentials

/// Tokens of list pages: bound to the caller's account and the same request, authenticated, valid for 24 hours.
package struct PageToken: Sendable {
    static let lifetimeSeconds: Int64 = 24 * 3600

    private let key: SymmetricKey

    /// - Parameter secret: at least 32 bytes that all API processes share.
    package init(secret: some ContiguousBytes) {
        key = HKDF<SHA256>.deriveKey(
            inputKeyMaterial: SymmetricKey(data: secret), info: Data("forecastle page token".utf8), outputByteCount: 32)
    }

    func make(_ cursor: Catalog.Cursor, scope: String, now: Date) -> String {
        let body: JSONObject = [
            "t": .int(Int64(now.timeIntervalSince1970)), "c": .int(cursor.createdAtMicroseconds), "a": .string(cursor.arn),
        ]
        let bytes = body.serialized()
        let tag = HMAC<SHA256>.authenticationCode(for: Data(bytes) + Data(scope.utf8), using: key)
        return Data(Array(tag) + bytes).base64EncodedString()
    }

    /// Throws InvalidNextTokenException for any token that this account did not get for this very request.
    func read(_ token: String, scope: String, now: Date) throws -> Catalog.Cursor {
        guard let data = Data(base64Encoded: token), data.count > SHA256.byteCount else { throw AWSError.invalidNextToken }
        let body = data.dropFirst(SHA256.byteCount)
        guard
            HMAC<SHA256>.isValidAuthenticationCode(
                data.prefix(SHA256.byteCount), authenticating: body + Data(scope.utf8), using: key),
            let object = try? JSONObject.parseBody(Array(body)),
            let issued = object["t"]?.intValue, let created = object["c"]?.intValue, let arn = object["a"]?.stringValue,
            Int64(now.timeIntervalSince1970) - issued <= Self.lifetimeSeconds
        else { throw AWSError.invalidNextToken }
        return Catalog.Cursor(createdAtMicroseconds: created, arn: arn)
    }
}
