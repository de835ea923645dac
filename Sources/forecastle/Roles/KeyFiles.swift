import AuditTrail
import CoreFoundation
import Crypto
import Foundation
import Jobs
import Secrets

/// Pairs of Ed25519 keys in files: the API's, which signs job specifications for workers to verify, and the authority's, which signs
/// heads of the audit trail. Raw bytes, 32 each.
enum KeyFiles {
    struct Failure: Error, CustomStringConvertible {
        var description: String
    }

    static func signer(at path: String) throws -> SpecificationSigner {
        try checkMode(of: path)
        return SpecificationSigner(privateKey: try privateKey(at: path))
    }

    static func headSigner(at path: String) throws -> HeadSigner {
        try checkMode(of: path)
        return HeadSigner(privateKey: try privateKey(at: path))
    }

    static func headVerifier(at paths: [String]) throws -> HeadVerifier {
        try HeadVerifier(publicKeys: try paths.map { Array(try contents($0)) })
    }

    private static func checkMode(of path: String) throws {
        var status = stat()
        guard stat(path, &status) == 0, status.st_mode & 0o077 == 0 else {
            throw Failure(description: "\(path) is missing or can be read by others; it must have mode 0600")
        }
    }

    static func verifier(at path: String) throws -> SpecificationVerifier {
        try SpecificationVerifier(publicKeys: [Array(try contents(path))])
    }

    /// The signing key also is the secret that all API processes share, for tokens of list pages.
    static func secret(at path: String) throws -> Secrets.SharedSecret {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw Failure(description: "\(path) cannot be read") }
        defer { close(descriptor) }
        var length = 0
        // One byte more, so that a longer file is seen.
        let file = SecretBytes(count: keyBytes + 1) { length = max(0, read(descriptor, $0.baseAddress, $0.count)) }
        guard length == keyBytes else { throw Failure(description: "\(path) must hold \(keyBytes) bytes") }
        return file.withUnsafeBytes {
            Secrets.SharedSecret(SecretBytes(copying: UnsafeRawBufferPointer(rebasing: $0[..<keyBytes])))
        }
    }

    private static let keyBytes = 32

    private static func privateKey(at path: String) throws -> Curve25519.Signing.PrivateKey {
        let secret = try secret(at: path)
        defer { secret.wipe() }
        return try secret.withUnsafeBytes { try Curve25519.Signing.PrivateKey(rawRepresentation: $0) }
    }

    private static func contents(_ path: String) throws -> Data {
        guard let data = FileManager.default.contents(atPath: path), data.count == keyBytes else {
            throw Failure(description: "\(path) must hold \(keyBytes) bytes")
        }
        return data
    }

    /// Makes the pair where it is missing.
    static func ensure(privateKey: String, publicKey: String, in folder: DataFolder) throws {
        if !FileManager.default.fileExists(atPath: privateKey) {
            var bytes = Curve25519.Signing.PrivateKey().rawRepresentation
            defer { bytes.withUnsafeMutableBytes { wipe($0) } }
            try folder.write(bytes, to: privateKey)
        }
        let key = try self.privateKey(at: privateKey)
        try folder.write(key.publicKey.rawRepresentation, to: publicKey, mode: 0o644)
    }
}
