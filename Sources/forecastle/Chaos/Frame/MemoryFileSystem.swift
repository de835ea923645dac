import Foundation
import Glibc

/// A small file system in memory, for disks that run full. Needs root.
struct MemoryFileSystem {
    let path: String

    init(at path: String, bytes: Int) throws {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        guard mount("forecastle-chaos", path, "tmpfs", 0, "size=\(bytes),mode=0700") == 0 else {
            throw ChaosSkip(description: "a memory file system cannot be mounted: \(String(cString: strerror(errno)))")
        }
        self.path = path
    }

    /// Changes one that is mounted: what may be written to it, how many files it holds.
    static func change(_ path: String, readOnly: Bool = false, options: String = "") throws {
        let flags = UInt(MS_REMOUNT) | (readOnly ? UInt(MS_RDONLY) : 0)
        guard mount("forecastle-chaos", path, "tmpfs", flags, options) == 0 else {
            throw ChaosFailure(description: "\(path) cannot be mounted anew: \(String(cString: strerror(errno)))")
        }
    }

    /// Lazily: whatever still has a file of it open keeps it until then.
    func unmount() { umount2(path, Int32(MNT_DETACH)) }
}

/// A file that takes what room there is.
struct DiskHog {
    let path: String
    private static let pieceBytes = 64 << 10

    /// Fills the disk to its last byte and says how much it took.
    func fill() throws -> Int {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw ChaosFailure(description: "\(path) cannot be made") }
        defer { close(descriptor) }
        var (taken, piece) = (0, Self.pieceBytes)
        let zeroes = [UInt8](repeating: 0, count: Self.pieceBytes)
        while piece > 0 {
            let written = write(descriptor, zeroes, piece)
            if written > 0 { taken += written } else { piece /= 2 }
        }
        return taken
    }

    func remove() { unlink(path) }
}
