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

    /// Lazily: whatever still has a file of it open keeps it until then.
    func unmount() { umount2(path, Int32(MNT_DETACH)) }
}
