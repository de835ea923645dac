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

    /// A secret body is hashed where it stands.
    static func bodyHash(of request: AWSRequest) -> String? {
        guard let secret = request.secretBody else { return sha256(request.body) }
        return try? secret.withUnsafeBytes { bytes in
            var hash = SHA256()
            hash.update(bufferPointer: bytes)
            return Hex.encode(hash.finalize())
        }
    }

    static func stringToSign(timestamp: String, scope: CredentialScope, canonicalRequest: String) -> String {
        [algorithm, timestamp, scope.description, sha256(canonicalRequest.utf8)].joined(separator: "\n")
    }

    /// The signature in lower-case hexadecimal.
    static func signature(secret: UnsafeRawBufferPointer, scope: CredentialScope, stringToSign: String) -> String {
        let prefix = Array("AWS4".utf8)
        let seed = SecretBytes(count: prefix.count + secret.count) { target in
            target.copyBytes(from: prefix)
            UnsafeMutableRawBufferPointer(rebasing: target[prefix.count...]).copyMemory(from: secret)
        }
        // The key's own copy is wiped by swift-crypto.
        var key = seed.withUnsafeBytes { SymmetricKey(data: $0) }
        for part in [scope.date, scope.region, scope.service, terminator] {
            var code = HMAC<SHA256>.authenticationCode(for: Array(part.utf8), using: key)
            key = SymmetricKey(data: code)
            // Each code is the key of the next step, the last one that of a whole day's signatures.
            withUnsafeMutableBytes(of: &code) { wipe($0) }
        }
        return Hex.encode(HMAC<SHA256>.authenticationCode(for: Array(stringToSign.utf8), using: key))
    }
}
