import Envelope
import Foundation
import Glibc
import Testing

/// Files that appear when they are complete, or never.
@Suite struct OutputFileTests {
    @Test(arguments: [true, false]) func stagedFileAppearsWhenPublishedAndReplacesNothing(unnamed: Bool) async throws {
        try await withTemporaryFolder { folder in
            let path = folder.appending(path: "out").path
            do {
                let dropped = try StagedFile(path: path, mode: 0o600, unnamed: unnamed)
                _ = write(dropped.descriptor, "x", 1)
            }
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
            let first = try StagedFile(path: path, mode: 0o600, unnamed: unnamed)
            _ = write(first.descriptor, "1", 1)
            try first.publish(replacing: false)
            #expect(try String(contentsOfFile: path, encoding: .utf8) == "1")
            let second = try StagedFile(path: path, mode: 0o600, unnamed: unnamed)
            _ = write(second.descriptor, "2", 1)
            var refused = false
            do { try second.publish(replacing: false) } catch { refused = true }
            #expect(refused)
            let third = try StagedFile(path: path, mode: 0o600, unnamed: unnamed)
            _ = write(third.descriptor, "3", 1)
            try third.publish(replacing: true)
            #expect(try String(contentsOfFile: path, encoding: .utf8) == "3")
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["out"])
        }
    }

    private func publish(_ text: String, at path: String, replacing: Bool) throws {
        let file = try OutputFile(path: path, mode: 0o600, replacing: replacing)
        #expect(write(file.channel.descriptor, text, text.utf8.count) == text.utf8.count)
        try file.publish()
    }

    @Test func whatIsThereIsRefusedBeforeTheWork() async throws {
        try await withTemporaryFolder { folder in
            let path = folder.appending(path: "out").path
            try publish("1", at: path, replacing: false)
            for path in [path, folder.path] {
                let error = #expect(throws: EnvelopeError.self) { try publish("2", at: path, replacing: false) }
                #expect(error?.code == .invalidInput)
            }
            try publish("3", at: path, replacing: true)
            #expect(try String(contentsOfFile: path, encoding: .utf8) == "3")
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["out"])
            #expect(throws: EnvelopeError.self) { try publish("4", at: path + "/", replacing: true) }
            #expect(throws: EnvelopeError.self) { try publish("4", at: folder.path + "/none/out", replacing: true) }
        }
    }

    @Test func devicesAndNamedPipesAreWrittenInOrder() async throws {
        let null = try OutputFile(path: "/dev/null", mode: 0o600, replacing: false)
        #expect(null.channel.access == .sequential)
        try null.publish()
        try await withTemporaryFolder { folder in
            let path = folder.appending(path: "fifo").path
            #expect(mkfifo(path, 0o600) == 0)
            // Its reader is there already, or opening would wait for one.
            let reading = open(path, O_RDONLY | O_NONBLOCK)
            defer { close(reading) }
            try publish("x", at: path, replacing: false)
            var byte: UInt8 = 0
            #expect(read(reading, &byte, 1) == 1 && byte == UInt8(ascii: "x"))
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["fifo"])
        }
    }

    @Test func longNamesLeaveRoomForTheHiddenOne() async throws {
        try await withTemporaryFolder { folder in
            let name = String(repeating: "n", count: 255)
            try publish("1", at: folder.appending(path: name).path, replacing: true)
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == [name])
        }
    }
}
