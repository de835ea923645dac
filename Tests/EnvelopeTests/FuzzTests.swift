import Envelope
import EnvelopeFuzzing
import Foundation
import Testing

/// The fuzz target's own entry, in this process: the stored corpus, then alterations of it that are the same in every run.
/// `deploy/fuzz` does the same for longer, led by what the inputs reach, under the address sanitizer.
@Suite struct FuzzTests {
    private static let alterations = 20_000
    /// Tests of a run side by side; each has a seed of its own.
    private static let parts: UInt64 = 8

    private static func corpus() throws -> [(name: String, input: [UInt8])] {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "Corpus/Envelope")
        return try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted().map { name in
            (name, [UInt8](try Data(contentsOf: folder.appending(path: name))))
        }
    }

    @Test func storedCorpusHoldsNoFinding() async throws {
        let corpus = try Self.corpus()
        #expect(corpus.count > 60)
        for (name, input) in corpus {
            do {
                try await MessageFuzzer.run(input)
            } catch {
                Issue.record("\(name): \(error)")
            }
        }
    }

    /// The seeds of the corpus are genuine messages: were they refused, alterations of them would show little.
    @Test func seedsOpen() async throws {
        for (name, input) in try await FuzzSeeds.all(official: Sample.official.map { ($0.name, $0.message) }) {
            try await MessageFuzzer.run(input)
            let opening =
                switch name.prefix(while: { $0 != "-" }) {
                case "sealed": MessageOpening(provider: try FuzzKey.keyring(), policy: .allowUncommitted)
                case "believed":
                    MessageOpening(
                        provider: CredulousProvider(), backend: TransparentBackend(), policy: .allowUncommitted)
                default: nil as MessageOpening?
                }
            guard let opening else { continue }
            guard case .opened = try await opening.inMemory(Array(input[5...])) else {
                Issue.record("\(name) does not open")
                continue
            }
        }
    }

    @Test(arguments: 0..<parts)
    func seededAlterationsHoldNoFinding(seed: UInt64) async throws {
        let corpus = try Self.corpus().map(\.input)
        var mutator = SeededMutator(seed: seed)
        for number in 0..<Self.alterations / Int(Self.parts) {
            let input = mutator.mutate(
                corpus[mutator.number(below: corpus.count)], beside: corpus[mutator.number(below: corpus.count)])
            do {
                try await MessageFuzzer.run(input)
            } catch {
                Issue.record("seed \(seed), alteration \(number): \(error); input \(Data(input).base64EncodedString())")
                return
            }
        }
    }
}
