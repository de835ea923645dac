import CLinux
import Foundation
import Glibc
import Synchronization

/// A pipe of which we hold one end: a thread that moves bytes between it and a file without touching them (`splice`), so
/// that the program at the other end has nearly all of the machine.
final class PipePump: Sendable {
    /// The end for the program, closed by whoever hands it over.
    let programsEnd: Int32
    private let work: @Sendable () -> Int
    private let moved = Atomic<Int>(0)
    private let ended = DispatchGroup()

    private static let chunkBytes = 1 << 20

    /// Feeds a file to a program's standard input.
    static func feeding(file: String) throws -> PipePump {
        let source = try opened(file, O_RDONLY)
        let (reading, writing) = try pipe()
        return PipePump(programsEnd: reading, from: source, to: writing)
    }

    /// Takes a program's standard output and lets it go.
    static func draining() throws -> PipePump {
        let sink = try opened("/dev/null", O_WRONLY)
        let (reading, writing) = try pipe()
        return PipePump(programsEnd: writing, from: reading, to: sink)
    }

    private init(programsEnd: Int32, from source: Int32, to sink: Int32) {
        self.programsEnd = programsEnd
        work = {
            defer {
                close(source)
                close(sink)
            }
            var total = 0
            while true {
                let count = clinux_splice(source, sink, Self.chunkBytes)
                if count > 0 { total += count } else if count == 0 || errno != EINTR { return total }
            }
        }
    }

    /// Begins once the program's end is closed here: from then on its end is ours.
    func start() {
        ended.enter()
        Thread.detachNewThread {
            self.moved.store(self.work(), ordering: .releasing)
            self.ended.leave()
        }
    }

    /// Waits for the end and answers how many bytes went through.
    func finish() -> Int {
        ended.wait()
        return moved.load(ordering: .acquiring)
    }

    private static func opened(_ path: String, _ flags: Int32) throws -> Int32 {
        let descriptor = open(path, flags | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw ChildProcess.Failure(description: "\(path): \(String(cString: strerror(errno)))")
        }
        return descriptor
    }

    private static func pipe() throws -> (reading: Int32, writing: Int32) {
        var ends: [Int32] = [0, 0]
        guard Glibc.pipe(&ends) == 0 else {
            throw ChildProcess.Failure(description: "no pipe: \(String(cString: strerror(errno)))")
        }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        return (ends[0], ends[1])
    }
}
