import Crypto
import FoundationEssentials
import Secrets

/// AWS Signature Version 4: the constants and the arithmetic that signer and verifier share.
///
/// Source: IAM user guide, "Create a signed AWS API request".
enum SigV4 {
    static let algorithm = "AWS4-HMAC-SHA256"
    static let terminator = "aws4_request"
    /// SHA-256 and its MAC, in bytes.
    static let digestBytes = 32

    static func sha256(_ bytes: some Sequence<UInt8>) -> String {
        var hash = SHA256()
        hash.update(data: Array(bytes))
        return Hex.encode(hash.finalize())
    }

    static func stringToSign(timestamp: String, scope: CredentialScope, canonicalRequest: String) -> String {
        [algorithm, timestamp, scope.description, sha256(canonicalRequest.utf8)].joined(separator: "\n")
    }

    /// The signature in lower-case hexadecimal.
    static func signature(secret: UnsafeRawBufferPointer, scope: CredentialScope, stringToSign: String) -> String {
        var seed = Array("AWS4".utf8)
        seed.append(contentsOf: secret)
        var key = SymmetricKey(data: seed)
        // The key's own copy is wiped by swift-crypto; this one is ours to wipe.
        wipe(&seed)
        for part in [scope.date, scope.region, scope.service, terminator] {
            key = SymmetricKey(data: HMAC<SHA256>.authenticationCode(for: Array(part.utf8), using: key))
        }
        return Hex.encode(HMAC<SHA256>.authenticationCode(for: Array(stringToSign.utf8), using: key))
    }
}
