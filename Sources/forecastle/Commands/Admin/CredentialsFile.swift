import AWSProtocol
import CoreFoundation
import Foundation
import Secrets

/// An access key in a file of mode 0600: `{"AccessKeyId": "AKIA…", "SecretAccessKey": "…"}`.
struct CredentialsFile {
    static let maximumBytes = 4096

    let path: String

    /// Makes the empty file, which must not be there yet. Done before the key is made, so that no key is lost for want of a place.
    func create() throws {
        let descriptor = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw CredentialsFileError(path: path, what: "cannot be made: it is there already, or its folder is not")
        }
        close(descriptor)
    }

    /// Fills the file, which must be one that `create` made.
    func write(accessKeyID: String, secret: Redacted<String>) throws {
        let object: JSONObject = ["AccessKeyId": .string(accessKeyID), "SecretAccessKey": .string(secret.revealed)]
        var bytes = object.serialized() + [0x0A]
        defer { wipe(&bytes) }
        let descriptor = open(path, O_WRONLY | O_TRUNC | O_NOFOLLOW | O_CLOEXEC)
        guard descriptor >= 0 else { throw CredentialsFileError(path: path, what: "cannot be written") }
        defer { close(descriptor) }
        let written = bytes.withUnsafeBytes { Foundation.write(descriptor, $0.baseAddress, $0.count) }
        guard written == bytes.count, fsync(descriptor) == 0 else {
            throw CredentialsFileError(path: path, what: "cannot be written")
        }
    }

    func remove() { unlink(path) }

    /// Reads an access key, refusing a file that others may read.
    func read() throws -> AWSCredentials {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw CredentialsFileError(path: path, what: "cannot be read") }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & 0o077 == 0 else {
            throw CredentialsFileError(path: path, what: "may be read by others: give it mode 0600")
        }
        var bytes = [UInt8](repeating: 0, count: Self.maximumBytes)
        defer { wipe(&bytes) }
        let count = bytes.withUnsafeMutableBytes { Foundation.read(descriptor, $0.baseAddress, $0.count) }
        guard count > 0, let object = try? JSONObject.parseBody(Array(bytes[..<count])),
            let id = object["AccessKeyId"]?.stringValue, let secret = object["SecretAccessKey"]?.stringValue
        else { throw CredentialsFileError(path: path, what: "holds no access key") }
        return AWSCredentials(accessKeyID: id, secretAccessKey: Redacted(secret))
    }
}

/// Names the file and what is wrong with it, never what is in it.
struct CredentialsFileError: Error, CustomStringConvertible {
    let path: String
    let what: String
    var description: String { "\(path) \(what)." }
}
