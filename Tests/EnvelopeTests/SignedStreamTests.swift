import Envelope
import Foundation
import Glibc
import Synchronization
import Testing

/// Signed messages, unframed ones, and passes that only verify, between files and pipes.
@Suite struct SignedStreamTests {
    private func message(_ size: Int, suite: AlgorithmSuite = .committedAndSigned) async throws -> [UInt8] {
        try await MessageSealer.sealMessage(
            pattern(size), provider: try keyring(), context: ["a": "b"], suite: suite, frameBytes: streamFrame)
    }

    @Test(arguments: StreamEnd.allCases, StreamEnd.allCases)
    func signedMessagesComeBack(source: StreamEnd, sink: StreamEnd) async throws {
        for size in streamSizes {
            for threads in [1, 4] {
                let sealed = try await through(pattern(size), from: source, to: sink) { input, output in
                    // A sealer signs once.
                    let sealer = try await MessageSealer(
                        provider: try keyring(), context: [:], suite: .committedAndSigned, frameBytes: streamFrame)
                    try await ParallelSealer(sealer, options: streamOptions(threads: threads)).seal(input, into: output)
                }
                #expect(try await MessageOpener.openMessage(sealed, provider: try keyring()).plaintext == pattern(size))
                let opened = try await through(sealed, from: source, to: sink) { input, output in
                    try await withStreamOpener(input, threads: threads) { opening, opener in
                        let count = try await opening.open(opener, input, into: output)
                        #expect(count == size)
                    }
                }
                #expect(opened == pattern(size), "\(size) bytes, \(threads) threads")
            }
        }
    }

    /// Each frame's tag is right; the signature is not: nothing may reach a pipe.
    @Test(arguments: StreamEnd.allCases) func nothingLeavesBeforeTheSignatureWasVerified(source: StreamEnd) async throws {
        let message = try await message(37 * streamFrame + 5)
        for change in [message.count - 1, message.count - 40, message.count - 105, message.count - 104] {
            var altered = message
            altered[change] ^= 1
            let (bytes, error) = try await outcome(of: altered, from: source, to: .pipe) { input, output in
                try await withStreamOpener(input) { _ = try await $0.open($1, input, into: output) }
            }
            #expect(error as? EnvelopeError == .authentication && bytes.isEmpty, "byte \(change)")
        }
        for count in [message.count - 1, message.count - 104, message.count - 105, message.count - 106] {
            let (bytes, error) = try await outcome(of: Array(message[..<count]), from: source, to: .pipe) { input, output in
                try await withStreamOpener(input) { _ = try await $0.open($1, input, into: output) }
            }
            #expect(error as? EnvelopeError == .authentication && bytes.isEmpty, "cut at \(count)")
        }
        let (bytes, error) = try await outcome(of: message + [0], from: source, to: .pipe) { input, output in
            try await withStreamOpener(input) { _ = try await $0.open($1, input, into: output) }
        }
        #expect(error as? EnvelopeError == .authentication && bytes.isEmpty)
    }

    /// Someone with the data key changes the file between the two readings: the frame's tag verifies, and still it is not
    /// what was signed.
    @Test func fileThatChangesAfterItsSignatureWasVerifiedGivesNothing() async throws {
        let size = 20 * streamFrame
        let sealer = try await MessageSealer(
            provider: try keyring(), context: [:], suite: .committedAndSigned, frameBytes: streamFrame)
        let sealed = try await through(pattern(size), from: .file, to: .file) { input, output in
            try await ParallelSealer(sealer, options: streamOptions(threads: 1)).seal(input, into: output)
        }
        var forged = [UInt8](repeating: 0, count: streamFrame + FrameLayout.regularOverhead)
        try forged.withUnsafeMutableBytes { frame in
            _ = try pattern(streamFrame, seed: 9).withUnsafeBytes {
                try sealer.sealFrame(0, $0, isFinal: false, into: frame)
            }
        }
        let frame = forged
        let (bytes, error) = try await outcome(of: sealed, from: .file, to: .pipe) { input, output in
            let verified = Atomic<Int>(0)
            try await withTally(verified) { tally in
                var options = streamOptions(threads: 2)
                options.progress = { count in
                    guard tally.add(count) == size else { return }
                    _ = frame.withUnsafeBytes {
                        pwrite(input.descriptor, $0.baseAddress, $0.count, off_t(sealer.header.byteCount))
                    }
                }
                try await withStreamOpener(input, options: options) { opening, opener in
                    #expect(opening.passes(opener, from: input, into: output) == 2)
                    _ = try await opening.open(opener, input, into: output)
                }
            }
        }
        #expect((error as? EnvelopeError)?.code == .inputOutput && bytes.isEmpty)
    }

    private final class Tally: Sendable {
        private let count: Atomic<Int>
        init(_ count: consuming Atomic<Int>) { self.count = count }
        func add(_ more: Int) -> Int { count.add(more, ordering: .sequentiallyConsistent).newValue }
    }

    private func withTally<R>(_ count: consuming Atomic<Int>, _ body: (Tally) async throws -> R) async throws -> R {
        try await body(Tally(count))
    }

    @Test func spoolIsBoundedAndLeavesNothing() async throws {
        let message = try await message(37 * streamFrame)
        try await withTemporaryFolder { folder in
            for (bound, fits) in [(1 << 20, true), (100, false)] {
                var options = streamOptions(threads: 2)
                options.spoolFolder = folder.path
                options.maximumSpoolBytes = bound
                let fixed = options
                let (bytes, error) = try await outcome(of: message, from: .pipe, to: .pipe) { input, output in
                    try await withStreamOpener(input, options: fixed) { _ = try await $0.open($1, input, into: output) }
                }
                #expect((error as? EnvelopeError)?.code == (fits ? nil : .tooLarge))
                #expect(bytes == (fits ? pattern(37 * streamFrame) : []))
                #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
            }
        }
    }

    @Test(arguments: StreamEnd.allCases, [AlgorithmSuite.committed, .committedAndSigned])
    func verifyingWritesNothingAndSeesEverything(source: StreamEnd, suite: AlgorithmSuite) async throws {
        for size in streamSizes {
            let message = try await message(size, suite: suite)
            for change in [nil, 20, message.count / 2, message.count - 1] {
                var bytes = message
                if let change { bytes[change] ^= 1 }
                let (_, error) = try await outcome(of: bytes, from: source, to: .file) { input, _ in
                    try await withStreamOpener(input) { opening, opener in
                        let count = try await opening.verifyOnly(opener, input)
                        #expect(count == size)
                    }
                }
                #expect(
                    error as? EnvelopeError == (change == nil ? nil : .authentication), "\(size), \(String(describing: change))")
            }
        }
    }

    @Test(arguments: [UInt16(0x0478), 0x0578], StreamEnd.allCases)
    func unframedMessagesAreOpenedWithinTheirBound(suite: UInt16, source: StreamEnd) async throws {
        for size in [0, 1, 5000] {
            let message = try MessageWriter(suite, frameBytes: 0).write(pattern(size), try keyring())
            for sink in StreamEnd.allCases {
                let opened = try await through(message, from: source, to: sink) { input, output in
                    try await withStreamOpener(input) { opening, opener in
                        let count = try await opening.open(opener, input, into: output)
                        #expect(count == size)
                    }
                }
                #expect(opened == pattern(size))
            }
            for wrong in [
                message + [0], Array(message.dropLast()), Array(message.dropLast(17)),
                Array(message.dropLast(message.count - 150)),
            ] {
                let (bytes, error) = try await outcome(of: wrong, from: source, to: .pipe) { input, output in
                    try await withStreamOpener(input) { _ = try await $0.open($1, input, into: output) }
                }
                #expect(error as? EnvelopeError == .authentication && bytes.isEmpty)
            }
        }
        var limits = MessageLimits()
        limits.maximumUnframedBytes = 4999
        let message = try MessageWriter(suite, frameBytes: 0).write(pattern(5000), try keyring())
        let bounded = limits
        let (bytes, error) = try await outcome(of: message, from: source, to: .file) { input, output in
            try await withStreamOpener(input, limits: bounded) { _ = try await $0.open($1, input, into: output) }
        }
        #expect((error as? EnvelopeError)?.code == .tooLarge && bytes.isEmpty)
    }
}
