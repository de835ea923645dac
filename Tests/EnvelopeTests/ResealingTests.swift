import Envelope
import Foundation
import Glibc
import Secrets
import Synchronization
import Testing

/// Case 40: a pass that ends midway and is done again, over content that may have changed meanwhile.
@Suite struct ResealingTests {
    private struct Crash: Error {}

    /// A file in, a file out; `crash` ends the pass after so many batches.
    private func seal(_ plaintext: [UInt8], _ sealer: MessageSealer, in folder: URL, crashAfter batches: Int?) async throws {
        let input = folder.appending(path: "in-\(UUID().uuidString)").path
        try Data(plaintext).write(to: URL(fileURLWithPath: input))
        let (reading, writing) = (open(input, O_RDONLY), open(input + ".sealed", O_WRONLY | O_CREAT, 0o600))
        defer {
            close(reading)
            close(writing)
        }
        var options = PassOptions()
        options.threads = 3
        options.batchBytes = 64
        if let batches {
            let left = BatchesLeft(batches)
            options.checkpoint = { if left.take() { throw Crash() } }
        }
        try await ParallelSealer(sealer, options: options).seal(try .file(reading), into: try .file(writing))
    }

    private final class BatchesLeft: Sendable {
        private let count: Mutex<Int>
        init(_ count: Int) { self.count = Mutex(count) }
        func take() -> Bool {
            count.withLock {
                $0 -= 1
                return $0 < 0
            }
        }
    }

    @Test(arguments: everyBackend, Sample.committedSuites)
    func aPassDoneAgainHasANewDataKeyAndMessageID(backend: any CipherBackend, suite: AlgorithmSuite) async throws {
        let recorder = NonceRecorder(backend)
        let wrappingKey = SharedSecret(SecretBytes(count: 32) { $0.copyBytes(from: pattern(32)) })
        let provider = try RawAESKeyring(namespace: "tests", name: "key", wrappingKey: wrappingKey, backend: recorder)
        try await withTemporaryFolder { folder in
            var headers: [MessageHeader] = []
            for (seed, batches): (UInt64, Int?) in [(1, 5), (1, 11), (2, 3), (2, nil), (3, nil)] {
                let sealer = try await MessageSealer(
                    provider: provider, context: [:], suite: suite, frameBytes: 16, backend: recorder)
                headers.append(sealer.header)
                do {
                    try await seal(pattern(16 * 100 + 3, seed: seed), sealer, in: folder, crashAfter: batches)
                    #expect(batches == nil)
                } catch is Crash {
                    #expect(batches != nil)
                }
                sealer.wipe()
            }
            #expect(Set(headers.map(\.messageID)).count == headers.count)
            #expect(Set(headers.map(\.commitment)).count == headers.count)
            #expect(Set(headers.flatMap(\.encryptedDataKeys)).count == headers.count)
        }
        #expect(recorder.reuses == 0)
        // Five messages' keys and the wrapping key.
        #expect(recorder.keys == 5 + 1)
        #expect(recorder.sealings > 2 * 101)
    }
}
