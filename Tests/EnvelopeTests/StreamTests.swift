import Envelope
import Foundation
import Glibc
import Synchronization
import Testing

/// Files and pipes, one thread and several: the same bytes on every way.
@Suite struct StreamTests {
    private static let frame = streamFrame
    @Test(arguments: StreamEnd.allCases, StreamEnd.allCases)
    func threadsAndEndsGiveTheSameBytes(source: StreamEnd, sink: StreamEnd) async throws {
        let provider = try keyring()
        for size in streamSizes {
            let plaintext = pattern(size)
            // One sealer for all ways: equal plaintexts under equal numbers.
            let sealer = try await MessageSealer(provider: provider, context: ["s": "\(size)"], frameBytes: Self.frame)
            var expected: [UInt8]?
            for threads in [1, 4] {
                let sealed = try await through(plaintext, from: source, to: sink) { input, output in
                    let count = try await ParallelSealer(sealer, options: streamOptions(threads: threads)).seal(
                        input, into: output)
                    #expect(count == size)
                }
                #expect(expected == nil || sealed == expected, "\(threads) threads, \(size) bytes")
                expected = sealed
                #expect(try await MessageOpener.openMessage(sealed, provider: provider).plaintext == plaintext)
                let opened = try await through(sealed, from: source, to: sink) { input, output in
                    let opening = ParallelOpener(options: streamOptions(threads: threads))
                    let header = try await opening.readHeader(input)
                    let opener = try await MessageOpener(header: header, provider: provider)
                    #expect(try await opening.open(opener, input, into: output) == size)
                }
                #expect(opened == plaintext, "\(threads) threads, \(size) bytes")
            }
        }
    }

    private func streamError(_ message: [UInt8], from source: StreamEnd) async throws -> EnvelopeError? {
        let provider = try keyring()
        do {
            _ = try await through(message, from: source, to: .file) { input, output in
                let opening = ParallelOpener(options: streamOptions(threads: 3))
                let opener = try await MessageOpener(header: try await opening.readHeader(input), provider: provider)
                try await opening.open(opener, input, into: output)
            }
            return nil
        } catch {
            return error as? EnvelopeError
        }
    }

    @Test(arguments: StreamEnd.allCases)
    func cutsAndAppendicesAreRefusedAtEveryFrameEdge(source: StreamEnd) async throws {
        for size in [9 * Self.frame, 9 * Self.frame + 7] {
            let message = try await MessageSealer.sealMessage(
                pattern(size), provider: try keyring(), context: [:], frameBytes: Self.frame)
            let header = try MessageHeader.parse(whole: message[...])
            let layout = try FrameLayout(headerBytes: header.byteCount, frameBytes: Self.frame, messageBytes: message.count)
            #expect(try await streamError(message, from: source) == nil)
            #expect(try await streamError(message + [0], from: source) == .authentication)
            let edges = (0..<layout.frameCount).map { layout.offset(ofFrame: $0) } + [message.count]
            for edge in edges {
                for cut in [edge - 1, edge, edge + 1] where cut < message.count {
                    #expect(try await streamError(Array(message[..<cut]), from: source) == .authentication, "cut at \(cut)")
                }
            }
            for index in [0, header.byteCount, header.byteCount + 4, layout.offset(ofFrame: 5) + 30, message.count - 1] {
                var altered = message
                altered[index] ^= 0x10
                #expect(try await streamError(altered, from: source) == .authentication, "byte \(index)")
            }
        }
    }

    @Test func pipeBringsItsBytesInPieces() async throws {
        let provider = try keyring()
        let plaintext = pattern(10_000)
        let sealer = try await MessageSealer(provider: provider, context: [:], frameBytes: Self.frame)
        var ends: [Int32] = [0, 0]
        #expect(pipe(&ends) == 0)
        let (reading, writing) = (ends[0], ends[1])
        defer { close(reading) }
        let feeder = Thread {
            for start in stride(from: 0, to: plaintext.count, by: 777) {
                let piece = Array(plaintext[start..<min(start + 777, plaintext.count)])
                _ = piece.withUnsafeBytes { write(writing, $0.baseAddress, $0.count) }
            }
            close(writing)
        }
        feeder.start()
        let sealed = try await withTemporaryFolder { folder in
            let path = folder.appending(path: "out").path
            let output = open(path, O_WRONLY | O_CREAT, 0o600)
            defer { close(output) }
            let count = try await ParallelSealer(sealer, options: streamOptions(threads: 3)).seal(
                ByteChannel(descriptor: reading, access: .sequential), into: try ByteChannel.file(output))
            #expect(count == plaintext.count)
            return [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
        }
        #expect(try await MessageOpener.openMessage(sealed, provider: provider).plaintext == plaintext)
    }

    @Test func cancellingEndsAPassThatWaitsForItsPipe() async throws {
        let sealer = try await MessageSealer(provider: try keyring(), context: [:], frameBytes: Self.frame)
        var ends: [Int32] = [0, 0]
        #expect(pipe(&ends) == 0)
        let (reading, writing) = (ends[0], ends[1])
        defer {
            close(reading)
            close(writing)
        }
        let sink = open("/dev/null", O_WRONLY)
        defer { close(sink) }
        let pass = Task {
            try await ParallelSealer(sealer).seal(
                ByteChannel(descriptor: reading, access: .sequential), into: ByteChannel(descriptor: sink, access: .sequential))
        }
        pass.cancel()
        await #expect(throws: CancellationError.self) { try await pass.value }
    }

    @Test func checkpointEndsThePass() async throws {
        struct LeaseLost: Error {}
        var options = streamOptions(threads: 2)
        let asked = AskCount()
        options.checkpoint = { if asked.next() > 3 { throw LeaseLost() } }
        let sealer = try await MessageSealer(provider: try keyring(), context: [:], frameBytes: Self.frame)
        let plaintext = pattern(100 * Self.frame)
        await #expect(throws: LeaseLost.self) {
            _ = try await through(plaintext, from: .file, to: .file) { input, output in
                _ = try await ParallelSealer(sealer, options: options).seal(input, into: output)
            }
        }
    }

    private final class AskCount: Sendable {
        private let count = Mutex(0)
        func next() -> Int {
            count.withLock {
                $0 += 1
                return $0
            }
        }
    }
}
