import Crypto
import FoundationEssentials

/// What PostgreSQL stores of a password for SCRAM-SHA-256 (RFC 5803), made here: the password itself never reaches the
/// server, nor a log of its statements.
package struct ScramVerifier: Sendable {
    /// As PostgreSQL's own; many times as many gain little for random passwords.
    private static let iterations = 4096
    private static let saltBytes = 16
    package static let passwordBytes = 8...256

    /// `SCRAM-SHA-256$<iterations>:<salt>$<StoredKey>:<ServerKey>`; of letters, digits and `$:+/=` alone.
    package let text: String

    /// Throws `.migration` unless the password is 8 to 256 printable ASCII characters, which need no normalisation.
    package init(password: some Collection<UInt8>) throws {
        guard Self.passwordBytes.contains(password.count), password.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw MigrationFile.fault("A role's password is 8 to 256 printable ASCII characters without blanks.")
        }
        var generator = SystemRandomNumberGenerator()
        self.init(password: password, salt: (0..<Self.saltBytes).map { _ in .random(in: 0...255, using: &generator) })
    }

    /// For any password and salt.
    package init(password: some Collection<UInt8>, salt: [UInt8]) {
        let key = SymmetricKey(data: Array(password))
        // PBKDF2 for one block (RFC 5802, Hi).
        var block = Array(HMAC<SHA256>.authenticationCode(for: salt + [0, 0, 0, 1], using: key))
        var salted = block
        for _ in 1..<Self.iterations {
            block = Array(HMAC<SHA256>.authenticationCode(for: block, using: key))
            for index in salted.indices { salted[index] ^= block[index] }
        }
        let saltedKey = SymmetricKey(data: salted)
        let clientKey = Array(HMAC<SHA256>.authenticationCode(for: Array("Client Key".utf8), using: saltedKey))
        let stored = Data(SHA256.hash(data: clientKey)).base64EncodedString()
        let server = Data(HMAC<SHA256>.authenticationCode(for: Array("Server Key".utf8), using: saltedKey)).base64EncodedString()
        text = "SCRAM-SHA-256$\(Self.iterations):\(Data(salt).base64EncodedString())$\(stored):\(server)"
    }
}
