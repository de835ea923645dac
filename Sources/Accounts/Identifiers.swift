import AWSProtocol
import Secrets

/// Makes the identifiers and secrets that IAM hands out.
enum Identifiers {
    static func userID() -> String { uniqueID("AIDA", characters: 17) }
    static func roleID() -> String { uniqueID("AROA", characters: 17) }
    static func groupID() -> String { uniqueID("AGPA", characters: 17) }
    static func policyID() -> String { uniqueID("ANPA", characters: 17) }
    static func accessKeyID() -> String { uniqueID("AKIA", characters: 16) }
    static func sessionKeyID() -> String { uniqueID("ASIA", characters: 16) }

    /// 30 random bytes as 40 characters of base64, as AWS's secret access keys look.
    static let secretBytes = 30

    static func secret() -> String { text(of: secretBytes) }

    /// 96 random bytes as base64: it carries nothing, the session's row does.
    static func sessionToken() -> String { text(of: 96) }

    private static func text(of count: Int) -> String {
        SecretBytes.random(count: count).withUnsafeBytes { Base64.encode(Array($0)) }
    }

    /// The prefix and letters of base32 (A–Z, 2–7), 5 random bits each.
    private static func uniqueID(_ prefix: String, characters: Int) -> String {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".utf8)
        let letters = SecretBytes.random(count: characters).withUnsafeBytes { bytes in
            bytes.map { alphabet[Int($0 & 31)] }
        }
        return prefix + String(decoding: letters, as: UTF8.self)
    }
}
