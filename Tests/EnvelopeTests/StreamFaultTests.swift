import Envelope
import Foundation
import Glibc
import Secrets
import Synchronization
import Testing

/// Media that fail in the middle, and how much memory a pass takes.
@Suite struct StreamFaultTests {
    private func seal(_ input: ByteChannel, into output: ByteChannel, _ options: PassOptions) async throws {
        let sealer = try await MessageSealer(provider: try keyring(), context: [:], frameBytes: streamFrame)
        try await ParallelSealer(sealer, options: options).seal(input, into: output)
    }

    /// Runs once, from any thread.
    private final class Once: Sendable {
        private let body: Mutex<(@Sendable () -> Void)?>
        init(_ body: @escaping @Sendable () -> Void) { self.body = Mutex(body) }
        func run() {
            let body = body.withLock { body in
                defer { body = nil }
                return body
            }
            body?()
        }
    }

    @Test(arguments: [1, 4]) func fileCutShortWhileItIsReadIsAnError(threads: Int) async throws {
        let (_, error) = try await outcome(of: pattern(100 * streamFrame), from: .file, to: .file) { input, output in
            var options = streamOptions(threads: threads)
            let cut = Once { _ = ftruncate(input.descriptor, off_t(90 * streamFrame + 3)) }
            options.progress = { _ in cut.run() }
            try await seal(input, into: output, options)
        }
        #expect((error as? EnvelopeError)?.code == .inputOutput)
    }

    @Test func fileThatGrewIsAnError() async throws {
        let (_, error) = try await outcome(of: pattern(100 * streamFrame), from: .file, to: .file) { input, output in
            var options = streamOptions(threads: 1)
            let grow = Once { _ = ftruncate(input.descriptor, off_t(100 * streamFrame + 1)) }
            options.progress = { _ in grow.run() }
            try await seal(input, into: output, options)
        }
        #expect((error as? EnvelopeError)?.code == .inputOutput)
    }

    /// Their length is said to be 0.
    @Test func filesOfTheKernelAreReadToTheirEnd() async throws {
        let descriptor = open("/proc/self/status", O_RDONLY)
        defer { close(descriptor) }
        let input = try ByteChannel.file(descriptor)
        let sealed = try await through([], from: .file, to: .file) { _, output in
            try await seal(input, into: output, streamOptions(threads: 2))
        }
        let plaintext = try await MessageOpener.openMessage(sealed, provider: try keyring()).plaintext
        #expect(String(decoding: plaintext, as: UTF8.self).contains("Name:"))
    }

    @Test func fullDiskAndOutputThatTakesNothingAreErrors() async throws {
        for (path, flags) in [("/dev/full", O_WRONLY), ("/dev/null", O_RDONLY)] {
            let descriptor = open(path, flags)
            defer { close(descriptor) }
            for access in [ByteChannel.Access.sequential, .positional(bytes: 0)] {
                let (_, error) = try await outcome(of: pattern(40 * streamFrame), from: .file, to: .file) { input, _ in
                    try await seal(input, into: ByteChannel(descriptor: descriptor, access: access), streamOptions(threads: 3))
                }
                #expect((error as? EnvelopeError)?.code == .inputOutput)
            }
        }
    }

    @Test func readerThatWentAwayIsAnError() async throws {
        signal(SIGPIPE, SIG_IGN)
        var ends: [Int32] = [0, 0]
        #expect(pipe(&ends) == 0)
        let writing = ends[1]
        defer { close(writing) }
        close(ends[0])
        for source in StreamEnd.allCases {
            let (_, error) = try await outcome(of: pattern(40 * streamFrame), from: source, to: .file) { input, _ in
                try await seal(input, into: ByteChannel(descriptor: writing, access: .sequential), streamOptions(threads: 3))
            }
            #expect((error as? EnvelopeError)?.code == .inputOutput)
        }
    }

    /// A pipe's reader is not given the front of a file that was cut short.
    @Test func nothingOfACutFileReachesAPipe() async throws {
        let message = try await MessageSealer.sealMessage(
            pattern(40 * streamFrame), provider: try keyring(), context: [:], frameBytes: streamFrame)
        for count in [message.count - 1, message.count - streamFrame - 32, message.count - 2 * (streamFrame + 32)] {
            let (bytes, error) = try await outcome(of: Array(message[..<count]), from: .file, to: .pipe) { input, output in
                try await withStreamOpener(input) { _ = try await $0.open($1, input, into: output) }
            }
            #expect(error as? EnvelopeError == .authentication && bytes.isEmpty)
        }
    }

    // MARK: Memory

    @Test func buffersOfAllThreadsFitTheirBound() {
        for threads in [1, 2, 16, 256] {
            var options = PassOptions()
            options.threads = threads
            for frameBytes in [1, 7, 1023, 4096, 65536, (1 << 20) - 1, 1 << 20, 16 << 20] {
                let count = options.threadCount(frameBytes: frameBytes)
                #expect((1...threads).contains(count))
                #expect(count * options.bufferBytes(frameBytes: frameBytes) <= PassOptions.memoryBytes)
                #expect(options.threadCount(frameBytes: frameBytes, frames: 0) == 1)
            }
        }
    }

    /// Sees where frames lie while they are sealed and opened: nowhere but in as many buffers as there are threads.
    private final class AddressRecorder: CipherBackend {
        private let inner = BoringSSLBackend()
        private let seen = Mutex<Set<UInt>>([])
        var places: Int { seen.withLock { $0.count } }
        var name: String { "recorder" }

        private final class Recording: FrameCipher {
            let inner: any FrameCipher
            let recorder: AddressRecorder

            init(inner: any FrameCipher, recorder: AddressRecorder) {
                self.inner = inner
                self.recorder = recorder
            }

            func wipe() { inner.wipe() }

            func seal(
                _ plaintext: UnsafeRawBufferPointer, nonce: UnsafeRawBufferPointer, associatedData: UnsafeRawBufferPointer,
                into sealed: UnsafeMutableRawBufferPointer
            ) throws {
                recorder.note(sealed.baseAddress, plaintext.count)
                try inner.seal(plaintext, nonce: nonce, associatedData: associatedData, into: sealed)
            }

            func open(
                _ sealed: UnsafeRawBufferPointer, nonce: UnsafeRawBufferPointer, associatedData: UnsafeRawBufferPointer,
                into plaintext: UnsafeMutableRawBufferPointer
            ) throws {
                recorder.note(sealed.baseAddress, plaintext.count)
                try inner.open(sealed, nonce: nonce, associatedData: associatedData, into: plaintext)
            }
        }

        /// The header's tag is over no content.
        private func note(_ place: UnsafeRawPointer?, _ bytes: Int) {
            guard let place, bytes == streamFrame else { return }
            _ = seen.withLock { $0.insert(UInt(bitPattern: place)) }
        }

        private func note(_ place: UnsafeMutableRawPointer?, _ bytes: Int) { note(place.map { UnsafeRawPointer($0) }, bytes) }

        func makeCipher(key: UnsafeRawBufferPointer) throws -> any FrameCipher {
            Recording(inner: try inner.makeCipher(key: key), recorder: self)
        }

        func deriveHKDF(
            _ hash: HashAlgorithm, inputKey: UnsafeRawBufferPointer, salt: UnsafeRawBufferPointer,
            outputs: [(info: [UInt8], bytes: UnsafeMutableRawBufferPointer)]
        ) throws {
            try inner.deriveHKDF(hash, inputKey: inputKey, salt: salt, outputs: outputs)
        }

        func makeDigest(_ hash: HashAlgorithm) throws -> any RunningDigest { try inner.makeDigest(hash) }
        func makeSigner(_ curve: SignatureCurve) throws -> any MessageSigner { try inner.makeSigner(curve) }
        func makeVerifier(_ curve: SignatureCurve, compressedPublicKey: [UInt8]) throws -> any MessageVerifier {
            try inner.makeVerifier(curve, compressedPublicKey: compressedPublicKey)
        }
        func fillRandom(_ bytes: UnsafeMutableRawBufferPointer) throws { try inner.fillRandom(bytes) }
    }

    @Test(arguments: StreamEnd.allCases) func memoryDoesNotGrowWithTheLength(end: StreamEnd) async throws {
        let (threads, framesPerBatch) = (3, 4)
        let (sealing, opening) = (AddressRecorder(), AddressRecorder())
        let plaintext = pattern(2000 * streamFrame)
        let sealed = try await through(plaintext, from: end, to: end) { input, output in
            let sealer = try await MessageSealer(
                provider: try keyring(), context: [:], frameBytes: streamFrame, backend: sealing)
            try await ParallelSealer(sealer, options: streamOptions(threads: threads)).seal(input, into: output)
        }
        let opened = try await through(sealed, from: end, to: end) { input, output in
            let parallel = ParallelOpener(options: streamOptions(threads: threads))
            let opener = try await MessageOpener(
                header: try await parallel.readHeader(input), provider: try keyring(), backend: opening)
            try await parallel.open(opener, input, into: output)
        }
        #expect(opened == plaintext)
        // Final frames begin elsewhere in theirs; a file's final frame is looked at first, in a buffer of its own.
        for recorder in [sealing, opening] { #expect(recorder.places <= threads * (framesPerBatch + 1) + 1) }
    }
}
