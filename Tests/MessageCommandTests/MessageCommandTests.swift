import Foundation
import Testing

/// `forecastle seal | open | inspect` as people run them: the built program, files, pipes and exit codes.
@Suite struct MessageCommandTests {
    private struct Run {
        let status: Int32
        let output: Data
        let error: String
    }

    /// The program beside the test bundle.
    private static let program: URL = {
        let arguments = CommandLine.arguments
        let bundle =
            arguments.firstIndex(of: "--test-bundle-path").map { arguments[$0 + 1] }
            ?? arguments.first { $0.hasSuffix(".xctest") } ?? arguments[0]
        return URL(fileURLWithPath: bundle).deletingLastPathComponent().appending(path: "forecastle")
    }()

    private func run(_ arguments: [String], in folder: URL, input: Data = Data()) throws -> Run {
        let process = Process()
        process.executableURL = Self.program
        process.arguments = arguments
        process.currentDirectoryURL = folder
        // Through files: a pipe that nobody drains would hold the program up.
        let (inputURL, outputURL, errorURL) = (
            folder.appending(path: ".stdin"), folder.appending(path: ".stdout"), folder.appending(path: ".stderr")
        )
        try input.write(to: inputURL)
        for url in [outputURL, errorURL] { try Data().write(to: url) }
        process.standardInput = try FileHandle(forReadingFrom: inputURL)
        process.standardOutput = try FileHandle(forWritingTo: outputURL)
        process.standardError = try FileHandle(forWritingTo: errorURL)
        try process.run()
        process.waitUntilExit()
        return Run(
            status: process.terminationStatus, output: try Data(contentsOf: outputURL),
            error: String(decoding: try Data(contentsOf: errorURL), as: UTF8.self))
    }

    private func withFolder(_ body: (URL) throws -> Void) throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "commands-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let key = folder.appending(path: "key")
        try Data((0..<32).map { UInt8($0) }).write(to: key)
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: key.path)
        try body(folder)
    }

    private let content = Data((0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) })

    @Test func filesAndPipesComeBack() throws {
        try withFolder { folder in
            try content.write(to: folder.appending(path: "plain"))
            let seal = try run(["seal", "--raw-key", "key", "--context", "a=b", "--threads", "2", "plain", "sealed"], in: folder)
            #expect(seal.status == 0, "\(seal.error)")
            let open = try run(["open", "--raw-key", "key", "--context", "a=b", "sealed", "opened"], in: folder)
            #expect(open.status == 0, "\(open.error)")
            #expect(try Data(contentsOf: folder.appending(path: "opened")) == content)
            let mode = try FileManager.default.attributesOfItem(atPath: folder.appending(path: "opened").path)[.posixPermissions]
            #expect(mode as? Int == 0o600)
            let sealed = try run(["seal", "--raw-key", "key", "--frame-bytes", "1000", "-", "-"], in: folder, input: content)
            let opened = try run(["open", "--raw-key", "key", "-", "-"], in: folder, input: sealed.output)
            #expect(opened.status == 0 && opened.output == content, "\(opened.error)")
        }
    }

    @Test func hexadecimalKeyIsTheSameKey() throws {
        try withFolder { folder in
            let digits = (0..<32).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined() + "\n"
            try Data(digits.utf8).write(to: folder.appending(path: "hex"))
            let sealed = try run(["seal", "--raw-key", "key", "-", "-"], in: folder, input: content)
            let opened = try run(["open", "--raw-key", "hex", "-", "-"], in: folder, input: sealed.output)
            #expect(opened.status == 0 && opened.output == content)
            #expect(opened.error.contains("other users"))
        }
    }

    @Test func everyFailureHasItsExitCodeAndLeavesNoFile() throws {
        try withFolder { folder in
            try content.write(to: folder.appending(path: "plain"))
            #expect(try run(["seal", "--raw-key", "key", "plain", "sealed"], in: folder).status == 0)
            var altered = try Data(contentsOf: folder.appending(path: "sealed"))
            altered[altered.count - 20] ^= 1
            try altered.write(to: folder.appending(path: "altered"))
            try altered.dropLast(1).write(to: folder.appending(path: "cut"))
            try Data([1, 2, 3]).write(to: folder.appending(path: "badkey"))
            for (arguments, status) in [
                (["open", "--raw-key", "key", "altered", "out"], Int32(65)),
                (["open", "--raw-key", "key", "cut", "out"], 65),
                (["open", "--raw-key", "key", "plain", "out"], 65),
                (["open", "--raw-key", "key", "--context", "a=b", "sealed", "out"], 65),
                (["open", "--raw-key", "key", "--key-name", "other", "sealed", "out"], 65),
                (["open", "--raw-key", "badkey", "sealed", "out"], 66),
                (["open", "--raw-key", "key", "absent", "out"], 66),
                (["open", "--raw-key", "absent", "sealed", "out"], 66),
                (["open", "--raw-key", "key", "sealed", "absent/out"], 73),
                (["open", "--raw-key", "key", "sealed", "plain"], 73),
                (["seal", "--raw-key", "key", "--frame-bytes", "0", "plain", "out"], 64),
                (["seal", "--raw-key", "key", "--context", "a", "plain", "out"], 64),
                (["inspect", "plain"], 65),
                (["inspect", "cut"], 65),
            ] {
                let result = try run(arguments, in: folder)
                #expect(result.status == status, "\(arguments): \(result.error)")
                #expect(!FileManager.default.fileExists(atPath: folder.appending(path: "out").path), "\(arguments)")
            }
            #expect(try Data(contentsOf: folder.appending(path: "plain")) == content)
            #expect(try run(["open", "--raw-key", "key", "--force", "sealed", "plain"], in: folder).status == 0)
            let left = try FileManager.default.contentsOfDirectory(atPath: folder.path)
            #expect(!left.contains { $0.hasSuffix(".partial") })
        }
    }

    @Test func inspectShowsTheHeaderWithoutAKey() throws {
        try withFolder { folder in
            try content.write(to: folder.appending(path: "plain"))
            _ = try run(["seal", "--raw-key", "key", "--context", "purpose=test", "plain", "sealed"], in: folder)
            let table = try run(["inspect", "sealed"], in: folder)
            #expect(table.status == 0)
            #expect(String(decoding: table.output, as: UTF8.self).contains("purpose = test"))
            let json = try run(["inspect", "--json", "sealed"], in: folder)
            let object = try #require(try JSONSerialization.jsonObject(with: json.output) as? [String: Any])
            #expect(object["suite"] as? String == "0478")
            #expect(object["plaintextBytes"] as? Int == content.count)
            #expect((object["encryptionContext"] as? [String: String]) == ["purpose": "test"])
            #expect((object["problems"] as? [String]) == [])
        }
    }
}
