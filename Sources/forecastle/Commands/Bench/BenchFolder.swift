@preconcurrency import Dispatch
import Foundation
import Glibc

/// The folder in which a benchmark keeps its files; gone when it ends, on Ctrl-C as well.
final class BenchFolder: Sendable {
    let path: String
    private let signals: [any DispatchSourceSignal]

    /// Throws where the file system has less than `bytes` free (and a reserve), before anything is written.
    init(below base: String, needing bytes: Int) throws {
        let path = "\(base)/forecastle-bench.\(getpid())"
        var status = statvfs()
        guard statvfs(base, &status) == 0 else {
            throw CommandFailure("\(base): \(String(cString: strerror(errno))).", MessageExit.cannotCreate)
        }
        let free = Int(status.f_bavail) * Int(status.f_frsize)
        guard free >= bytes + Self.reserveBytes else {
            throw CommandFailure(
                "\(base) has \(Amount.bytes(Int64(free))) free; this needs \(Amount.bytes(Int64(bytes + Self.reserveBytes))). "
                    + "Take another --folder or a smaller --mebibytes.", MessageExit.cannotCreate)
        }
        guard mkdir(path, 0o700) == 0 else {
            throw CommandFailure("\(path): \(String(cString: strerror(errno))).", MessageExit.cannotCreate)
        }
        self.path = path
        // Children get the default back when they are spawned.
        signals = [SIGINT, SIGTERM].map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler {
                MeasuredProcess.killRunning()
                try? FileManager.default.removeItem(atPath: path)
                Glibc.exit(128 + number)
            }
            source.resume()
            return source
        }
    }

    /// What stays free for others.
    private static let reserveBytes = 256 << 20

    func delete() { try? FileManager.default.removeItem(atPath: path) }

    func file(_ name: String) -> String { "\(path)/\(name)" }

    func remove(_ name: String) { unlink(file(name)) }

    /// Writes bytes that no compression shortens. They are read back from the page cache in every run.
    func makeInput(_ name: String, bytes: Int) throws {
        guard let output = fopen(file(name), "w") else {
            throw CommandFailure("\(file(name)): \(String(cString: strerror(errno))).", MessageExit.cannotCreate)
        }
        defer { fclose(output) }
        var generator = SystemRandomNumberGenerator()
        var block = (0..<Self.blockWords).map { _ in generator.next() as UInt64 }
        var left = bytes
        while left > 0 {
            block[0] &+= 1
            let count = min(left, block.count * 8)
            guard fwrite(block, 1, count, output) == count else {
                throw CommandFailure("Writing the input failed.", MessageExit.inputOutput)
            }
            left -= count
        }
    }

    private static let blockWords = (1 << 20) / 8

    /// Fills so much of the page cache and lets it go again. The next run then gets memory that was just in use: memory that
    /// a virtual machine has not touched for a while costs whoever gets it several times as much.
    func settle(_ bytes: Int) throws {
        defer { remove("settling") }
        try makeInput("settling", bytes: bytes)
    }

    /// Whether two files hold the same bytes, `other` from `offset` on for the length of the first.
    func isEqual(_ name: String, _ other: String, from offset: Int = 0) -> Bool {
        guard let one = try? FileHandle(forReadingFrom: URL(filePath: file(name))),
            let two = try? FileHandle(forReadingFrom: URL(filePath: file(other))),
            (try? two.seek(toOffset: UInt64(offset))) != nil
        else { return false }
        while true {
            guard let a = try? one.read(upToCount: 1 << 20) ?? Data(), let b = try? two.read(upToCount: a.count) ?? Data(),
                a == b
            else { return false }
            if a.isEmpty { return true }
        }
    }
}
