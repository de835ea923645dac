import Foundation
import Testing
import Verification

@Suite struct TextSearchTests {
    private func with<R>(_ files: [String: Data], _ body: (String) throws -> R) throws -> R {
        let folder = FileManager.default.temporaryDirectory.appending(path: "search-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        for (name, content) in files {
            let file = folder.appending(path: name)
            try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            try content.write(to: file)
        }
        return try body(folder.path)
    }

    private func found(_ texts: [String], _ root: String, except: [String] = []) throws -> [String: [String]] {
        var result: [String: [String]] = [:]
        try TextSearch(texts).files(below: root, except: except) { path, found, _ in
            result[String(path.dropFirst(root.count + 1))] = found
        }
        return result
    }

    @Test func aTextIsFoundWhereverItStands() throws {
        let filler = Data(repeating: 0, count: (4 << 20) - 3)
        try with([
            "start": Data("canary-1 and more".utf8), "a/b/end": filler + Data("..canary-2".utf8),
            "across": filler + Data("canary-1".utf8) + filler, "none": Data("canary-".utf8), "empty": Data(),
        ]) { root in
            let result = try found(["canary-1", "canary-2"], root)
            #expect(
                result == [
                    "start": ["canary-1"], "a/b/end": ["canary-2"], "across": ["canary-1"], "none": [], "empty": [],
                ])
        }
    }

    @Test func whatIsLeftOutIsNotRead() throws {
        try with(["buckets/x": Data("canary".utf8), "bucketsful": Data("canary".utf8)]) { root in
            let result = try found(["canary"], root, except: [root + "/buckets"])
            #expect(result == ["bucketsful": ["canary"]])
        }
    }
}
