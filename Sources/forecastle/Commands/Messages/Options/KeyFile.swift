import CoreFoundation
import Foundation
import Glibc
import Secrets

/// A file with a wrapping key: 32 bytes, or 64 hexadecimal digits and a line end.
enum KeyFile {
    /// Longest key file: digits and line ends. More is read only to be refused.
    private static let maximumBytes = 72

    /// Reads into locked memory; the file's bytes are never in a buffer that is not wiped.
    static func read(_ path: String) throws -> SharedSecret {
        let descriptor = Glibc.open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure(path, "it cannot be read: \(String(cString: strerror(errno)))") }
        defer { close(descriptor) }
        var status = stat()
        if fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG, status.st_mode & 0o077 != 0 {
            CommandFailure.warn("The key file \(path) can be read by other users: chmod 600 it.")
        }
        var length = 0
        let file = try SecretBytes(count: maximumBytes + 1) { buffer in
            while length < buffer.count {
                let count = Glibc.read(descriptor, buffer.baseAddress! + length, buffer.count - length)
                if count < 0 && errno == EINTR { continue }
                guard count >= 0 else { throw failure(path, "it cannot be read: \(String(cString: strerror(errno)))") }
                if count == 0 { break }
                length += count
            }
        }
        return try file.withUnsafeBytes { bytes in
            guard let key = try key(in: UnsafeRawBufferPointer(rebasing: bytes[..<length])) else {
                throw failure(path, "it holds neither 32 bytes nor 64 hexadecimal digits")
            }
            return SharedSecret(key)
        }
    }

    private static func failure(_ path: String, _ reason: String) -> CommandFailure {
        CommandFailure("--raw-key \(path): \(reason).", MessageExit.noInput)
    }

    private static func key(in bytes: UnsafeRawBufferPointer) throws -> SecretBytes? {
        if bytes.count == 32 { return SecretBytes(copying: bytes) }
        var digits = bytes[...]
        while let last = digits.last, last == UInt8(ascii: "\n") || last == UInt8(ascii: "\r") { digits = digits.dropLast() }
        let text = UnsafeRawBufferPointer(rebasing: digits)
        guard text.count == 64, text.allSatisfy({ nibble($0) != nil }) else { return nil }
        return SecretBytes(count: 32) { key in
            for index in 0..<32 { key[index] = nibble(text[2 * index])! << 4 | nibble(text[2 * index + 1])! }
        }
    }

    private static func nibble(_ digit: UInt8) -> UInt8? {
        switch digit {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
