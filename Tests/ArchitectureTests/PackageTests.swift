import Foundation
import Testing

/// The folder that holds Package.swift, found from this file so that tests run from any directory.
let packageRoot = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

@Test func everyRoomHasASourceFolder() throws {
    let manifest = try String(contentsOf: packageRoot.appending(path: "Package.swift"), encoding: .utf8)
    let rooms = manifest.matches(of: /room\(\s*"(\w+)"/).map { String($0.output.1) }
    #expect(rooms.count > 10)
    for room in rooms {
        #expect(FileManager.default.fileExists(atPath: packageRoot.appending(path: "Sources/\(room)").path), "\(room)")
    }
}
