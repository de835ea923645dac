import Crypto
import Foundation
import Jobs

/// The pair of keys with which the API signs job specifications and workers verify them. Raw bytes, 32 each.
enum KeyFiles {
    struct Failure: Error, CustomStringConvertible {
        var description: String
    }

    static func signer(at path: String) throws -> SpecificationSigner {
        var status = stat()
        guard stat(path, &status) == 0, status.st_mode & 0o077 == 0 else {
            throw Failure(description: "\(path) is missing or can be read by others; it must have mode 0600")
        }
        return try SpecificationSigner(rawKey: Array(try read(path)))
    }

    static func verifier(at path: String) throws -> SpecificationVerifier {
        try SpecificationVerifier(publicKeys: [Array(try read(path))])
    }

    /// The signing key also is the secret that all API processes share, for tokens of list pages.
    static func read(_ path: String) throws -> Data {
        guard let data = FileManager.default.contents(atPath: path), data.count == 32 else {
            throw Failure(description: "\(path) must hold 32 bytes")
        }
        return data
    }

    /// Makes the pair where it is missing.
    static func ensure(privateKey: String, publicKey: String, in folder: DataFolder) throws {
        if !FileManager.default.fileExists(atPath: privateKey) {
            try folder.write(Curve25519.Signing.PrivateKey().rawRepresentation, to: privateKey)
        }
        let key = try Curve25519.Signing.PrivateKey(rawRepresentation: try read(privateKey))
        try folder.write(key.publicKey.rawRepresentation, to: publicKey, mode: 0o644)
    }
}
