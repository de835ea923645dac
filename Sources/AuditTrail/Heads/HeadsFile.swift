import AWSProtocol
import Dispatch
package import FoundationEssentials
import Glibc

/// A file of exported heads that is appended to. Its calls block.
///
/// Name: `<begin>-<writer>-<number of the file>.heads`, so that names sort by time. The end of a file that a crash cut off may be
/// half a line.
package final class HeadsFile {
    /// A file that has come to this size is followed by another.
    package static let maximumBytes = 4 << 20
    package static let suffix = ".heads"

    private let path: String
    private let descriptor: Int32
    private(set) var bytes = 0

    /// Makes the file; its name is on disk with the first line.
    package init(directory: String, writer: UUID, number: Int, time: Date) throws(AuditError) {
        let digits = String(number)
        let name =
            "\(AWSTimestamp.basic(time))-\(writer.uuidString.lowercased())-"
            + String(repeating: "0", count: max(0, 6 - digits.count)) + digits + Self.suffix
        // Hashes tell nothing of the records: whoever keeps copies may read them.
        path = "\(directory)/\(name)"
        descriptor = open(
            path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_NOFOLLOW | O_CLOEXEC, mode_t(0o644))
        guard descriptor >= 0 else { throw .system("open", errno) }
        do {
            try Self.synchronise(directory: directory)
        } catch {
            close(descriptor)
            throw error
        }
    }

    deinit { close(descriptor) }

    /// Writes a line and its end, and waits for the disk. After an error nobody knows what the file holds: leave it.
    package func append(_ line: String) throws(AuditError) {
        let data = Array(line.utf8) + [UInt8(ascii: "\n")]
        var offset = 0
        while offset < data.count {
            let wrote = data.withUnsafeBytes { write(descriptor, $0.baseAddress! + offset, $0.count - offset) }
            if wrote < 0, errno == EINTR { continue }
            guard wrote > 0 else { throw .system("write", errno) }
            offset += wrote
        }
        guard fsync(descriptor) == 0 else { throw .system("fsync", errno) }
        bytes += data.count
    }

    /// Takes a file away that holds no whole line: a full disk must not fill with names.
    package func removeIfEmpty() {
        if bytes == 0 { unlink(path) }
    }

    private static func synchronise(directory: String) throws(AuditError) {
        let handle = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard handle >= 0 else { throw .system("open", errno) }
        defer { close(handle) }
        guard fsync(handle) == 0 else { throw .system("fsync", errno) }
    }
}

extension AuditError {
    package static func system(_ call: String, _ number: Int32) -> AuditError {
        AuditError(.headsUnusable, "\(call) in the directory of exported heads failed: \(String(cString: strerror(number))).")
    }
}

/// Where what blocks on the disk runs: not among the threads that serve calls.
package enum HeadsQueue {
    private static let queue = DispatchQueue(label: "forecastle.audit.heads", attributes: .concurrent)

    package static func run<R: Sendable>(_ body: @escaping @Sendable () throws -> R) async throws -> R {
        try await withCheckedThrowingContinuation { continuation in
            queue.async { continuation.resume(with: Result { try body() }) }
        }
    }
}
