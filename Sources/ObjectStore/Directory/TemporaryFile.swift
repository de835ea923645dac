import CLinux
import Glibc
import Synchronization

/// A file under a random name in the store's folder of uploads, on its way to its own name.
///
/// Its maker holds a lock (flock) on it for as long as it lives, and the kernel lets go of the lock when the process
/// dies: so a collector tells what is abandoned from what is slow, without judging by age.
final class TemporaryFile: Sendable {
    let file: FileDescriptor
    private let name: String
    private let uploads: Folder
    private let isDiscarded = Atomic<Bool>(false)

    init(in uploads: Folder, mode: mode_t) throws {
        self.uploads = uploads
        for _ in 0..<Folder.attempts {
            let name = Self.randomName()
            let file = try uploads.open(name, flags: O_RDWR | O_CREAT | O_EXCL, mode: mode)
            // A collector may have come between the making and the lock: then the file is gone and another is made.
            if flock(file.number, LOCK_EX | LOCK_NB) == 0, try file.status().st_nlink == 1 {
                self.file = file
                self.name = name
                return
            }
        }
        throw ObjectStoreError(.busy, "no temporary file could be kept")
    }

    deinit { discard() }

    /// Removes this name; what was linked stays under its own. Harmless when repeated.
    func discard() {
        if !isDiscarded.exchange(true, ordering: .acquiringAndReleasing) { _ = unlinkat(uploads.descriptor.number, name, 0) }
    }

    /// Gives the file a second name; throws `.alreadyExists` where that is taken. The first goes with `discard()`.
    func link(as leaf: String, in folder: Folder) throws {
        guard linkat(uploads.descriptor.number, name, folder.descriptor.number, leaf, 0) == 0 else {
            throw ObjectStoreError.system("linkat", errno)
        }
    }

    /// Removes the files in the folder whose makers are no more; returns how many.
    static func collect(in uploads: Folder) throws -> Int {
        var collected = 0
        var cursor: [UInt8]?
        while true {
            let batch = try uploads.entries(after: cursor, count: batchEntries) { !$0.isFolder }
            for entry in batch {
                guard let file = try? uploads.openFile(entry.name).file else { continue }
                if flock(file.number, LOCK_EX | LOCK_NB) == 0, unlinkat(uploads.descriptor.number, entry.name, 0) == 0 {
                    collected += 1
                }
            }
            guard batch.count == batchEntries else { return collected }
            cursor = batch.last?.sortName
        }
    }

    private static let batchEntries = 256

    private static func randomName() -> String {
        var generator = SystemRandomNumberGenerator()
        return String(generator.next(), radix: 36) + "-" + String(generator.next(), radix: 36)
    }
}
