import Foundation
import Testing

/// Jobs open messages that commit to their key and name it: what only people may ask for is named nowhere else.
@Test(arguments: [("allowUncommitted", ["Envelope", "EnvelopeFuzzing"]), ("KMSDiscoveryProvider", ["EnvelopeKMS"])])
func onlyTheCommandLineMayRelaxWhatAMessageMustBe(name: String, homes: [String]) throws {
    let sources = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().appending(path: "Sources")
    let allowed = homes.map { "/Sources/\($0)/" } + ["/Sources/forecastle/Commands/Messages/"]
    let files = try #require(FileManager.default.enumerator(at: sources, includingPropertiesForKeys: nil))
    var seen = 0
    for case let file as URL in files where file.pathExtension == "swift" {
        guard try String(contentsOf: file, encoding: .utf8).contains(name) else { continue }
        seen += 1
        #expect(allowed.contains { file.path.contains($0) }, "\(file.lastPathComponent) names \(name)")
    }
    #expect(seen > 0, "\(name) has another name by now: this test looks for nothing")
}
