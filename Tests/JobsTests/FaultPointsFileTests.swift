import Foundation
import Glibc
import Jobs
import Logging
import Testing

/// Fault points that people set while a worker runs.
@Suite struct FaultPointsFileTests {
    private let path = FileManager.default.temporaryDirectory.appending(path: "points.\(UUID().uuidString)").path
    private let logger = Logger(label: "tests") { _ in SwiftLogNoOpLogHandler() }

    private func put(_ text: String, mode: mode_t = 0o600) throws {
        let next = path + ".next"
        try Data(text.utf8).write(to: URL(fileURLWithPath: next))
        chmod(next, mode)
        rename(next, path)
    }

    private func happens(_ faults: FaultPoints, _ point: FaultPoint) async -> Bool {
        do {
            try await faults.reach(point)
            return false
        } catch {
            return true
        }
    }

    @Test func aFileIsReadAnewWhenItChanges() async throws {
        defer { unlink(path) }
        let faults = try FaultPoints(configuration: "", controlFile: path, logger: logger)
        #expect(await !happens(faults, .chunkRecorded))
        try put("chunk.recorded:2=fail\n")
        #expect(await !happens(faults, .chunkRecorded))
        #expect(await happens(faults, .chunkRecorded))
        #expect(await !happens(faults, .chunkRecorded))
        // Counts begin anew with the next file.
        try put("chunk.recorded=fail, task.claimed=fail")
        #expect(await happens(faults, .taskClaimed))
        #expect(await happens(faults, .chunkRecorded))
        unlink(path)
        #expect(await !happens(faults, .taskClaimed))
    }

    @Test func whatOthersMayWriteIsNotBelieved() async throws {
        defer { unlink(path) }
        let faults = try FaultPoints(configuration: "", controlFile: path, logger: logger)
        try put("task.claimed=fail", mode: 0o622)
        #expect(await !happens(faults, .taskClaimed))
        try put("task.claimed=explode")
        #expect(await !happens(faults, .taskClaimed))
        try put("task.claimed=fail")
        #expect(await happens(faults, .taskClaimed))
    }

    @Test func withoutAFileNoneIsLookedFor() async throws {
        defer { unlink(path) }
        try put("task.claimed=fail")
        let faults = try FaultPoints(configuration: "chunk.recorded=fail", controlFile: "", logger: logger)
        #expect(await !happens(faults, .taskClaimed))
        #expect(await happens(faults, .chunkRecorded))
    }
}
