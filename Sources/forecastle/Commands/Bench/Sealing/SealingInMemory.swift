import Envelope
import Foundation
import Secrets

/// Frames sealed and opened between two buffers by the sealer that files and pipes use: the cipher, and what the format costs.
struct SealingInMemory: Sendable {
    let seconds: Double
    let frameBytes: [Int]

    static let standardFrameBytes = [4 << 10, 64 << 10, 1 << 20]
    /// Those that this machine has.
    static let backends: [any CipherBackend] = [BoringSSLBackend()] + ((try? OpenSSLBackend()).map { [$0] } ?? [])

    private var threads: [Int] { PassOptions.processors > 1 ? [1, PassOptions.processors] : [1] }

    /// `memory.seal.boringssl.65536`, with `.all` behind it where all cores work at once.
    static func name(_ what: String, _ tool: String, _ frameBytes: Int, all: Bool = false) -> String {
        "memory.\(what).\(tool).\(frameBytes)" + (all ? ".all" : "")
    }

    /// `64 KiB`
    static func size(_ bytes: Int) -> String {
        bytes % (1 << 20) == 0 ? "\(bytes >> 20) MiB" : bytes % 1024 == 0 ? "\(bytes >> 10) KiB" : "\(bytes) bytes"
    }

    func cases(openssl: String?, log: String) -> [BenchCase] {
        PassOptions.tuneAllocator()
        return frameBytes.flatMap { frameBytes -> [BenchCase] in
            let size = Self.size(frameBytes)
            var cases: [BenchCase] = []
            if let openssl {
                cases.append(
                    BenchCase(name: Self.name("speed", "openssl", frameBytes), title: "openssl speed, \(size)") {
                        try await Self.opensslSpeed(openssl, frameBytes, log)
                    })
            }
            for backend in Self.backends {
                for count in threads {
                    let cores = count == 1 ? "one core" : "all cores"
                    cases.append(
                        BenchCase(
                            name: Self.name("seal", backend.name, frameBytes, all: count > 1),
                            title: "seal by \(backend.name), \(size), \(cores)"
                        ) { try await seal(backend, frameBytes, threads: count) })
                    cases.append(
                        BenchCase(
                            name: Self.name("open", backend.name, frameBytes, all: count > 1),
                            title: "open by \(backend.name), \(size), \(cores)"
                        ) { try await open(backend, frameBytes, threads: count) })
                }
            }
            return cases
        }
    }

    private func seal(_ backend: any CipherBackend, _ frameBytes: Int, threads: Int) async throws -> BenchSample {
        let message = try await FrameMessage(backend, frameBytes)
        defer { message.wipe() }
        return try await BusyThreads.measure(threads, seconds: seconds) { thread in
            FrameSealing(message, firstFrame: thread, stride: threads)
        }
    }

    private func open(_ backend: any CipherBackend, _ frameBytes: Int, threads: Int) async throws -> BenchSample {
        let message = try await FrameMessage(backend, frameBytes)
        defer { message.wipe() }
        return try await BusyThreads.measure(threads, seconds: seconds) { thread in
            try FrameOpening(message, frame: thread)
        }
    }

    /// It counts user time itself, in clock ticks over a second.
    private static func opensslSpeed(_ openssl: String, _ frameBytes: Int, _ log: String) async throws -> BenchSample {
        let output = log + ".speed"
        _ = try await MeasuredProcess(
            executable: openssl,
            arguments: ["speed", "-mr", "-seconds", "1", "-bytes", "\(frameBytes)", "-evp", "aes-256-gcm"],
            output: .file(output), log: log
        ).run()
        let text = (try? String(contentsOfFile: output, encoding: .utf8)) ?? ""
        for line in text.split(separator: "\n") where line.hasPrefix("+F:") {
            if let rate = line.split(separator: ":").last.flatMap({ Double($0) }), rate.isFinite, rate > 0 {
                return BenchSample(wallSeconds: 1, cpuSeconds: 1, bytes: Int(rate))
            }
        }
        throw CommandFailure("openssl speed printed no figure.", MessageExit.inputOutput)
    }
}

/// A message whose frames are sealed and opened over and over.
private final class FrameMessage: Sendable {
    let sealer: MessageSealer
    let opener: MessageOpener
    let frameBytes: Int

    init(_ backend: any CipherBackend, _ frameBytes: Int) async throws {
        self.frameBytes = frameBytes
        let provider = try RawAESKeyring(
            namespace: "forecastle", name: "bench", wrappingKey: SharedSecret(SecretBytes.random(count: 32)), backend: backend)
        sealer = try await MessageSealer(provider: provider, context: [:], frameBytes: frameBytes, backend: backend)
        opener = try await MessageOpener(header: sealer.header, provider: provider, backend: backend)
    }

    func wipe() {
        sealer.wipe()
        opener.wipe()
    }

    /// Frames in a step, so that asking the clock costs nothing: 8 MiB.
    var framesPerStep: Int { max(1, (8 << 20) / frameBytes) }

    func makePlaintext() -> [UInt8] {
        var generator = SystemRandomNumberGenerator()
        return (0..<frameBytes / 8).flatMap { _ in withUnsafeBytes(of: generator.next() as UInt64) { Array($0) } }
    }
}

/// Seals every frame number once: a second time would be a misuse of the sealer.
private final class FrameSealing: BusyWork {
    private let message: FrameMessage
    private let stride: Int
    private var next: Int
    private let plaintext: [UInt8]
    private var sealed: [UInt8]

    init(_ message: FrameMessage, firstFrame: Int, stride: Int) {
        self.message = message
        self.stride = stride
        next = firstFrame
        plaintext = message.makePlaintext()
        sealed = [UInt8](repeating: 0, count: message.frameBytes + FrameLayout.finalOverhead)
    }

    func step() throws -> Int {
        for _ in 0..<message.framesPerStep {
            try plaintext.withUnsafeBytes { plaintext in
                try sealed.withUnsafeMutableBytes { sealed in
                    _ = try message.sealer.sealFrame(next, plaintext, isFinal: false, into: sealed)
                }
            }
            next += stride
        }
        return message.framesPerStep * message.frameBytes
    }

    func verify() throws -> Bool {
        var opened = [UInt8](repeating: 0, count: message.frameBytes)
        let count = try opened.withUnsafeMutableBytes { opened in
            try sealed.withUnsafeBytes { sealed in
                try message.opener.openFrame(
                    next - stride,
                    UnsafeRawBufferPointer(rebasing: sealed[..<(message.frameBytes + FrameLayout.regularOverhead)]),
                    isFinal: false, into: opened)
            }
        }
        return count == message.frameBytes && opened == plaintext
    }
}

private final class FrameOpening: BusyWork {
    private let message: FrameMessage
    private let frame: Int
    private let plaintext: [UInt8]
    private var sealed: [UInt8]
    private var opened: [UInt8]

    init(_ message: FrameMessage, frame: Int) throws {
        self.message = message
        self.frame = frame
        plaintext = message.makePlaintext()
        sealed = [UInt8](repeating: 0, count: message.frameBytes + FrameLayout.regularOverhead)
        opened = [UInt8](repeating: 0, count: message.frameBytes)
        try plaintext.withUnsafeBytes { plaintext in
            try sealed.withUnsafeMutableBytes { sealed in
                _ = try message.sealer.sealFrame(frame, plaintext, isFinal: false, into: sealed)
            }
        }
    }

    func step() throws -> Int {
        for _ in 0..<message.framesPerStep {
            try opened.withUnsafeMutableBytes { opened in
                try sealed.withUnsafeBytes { sealed in
                    _ = try message.opener.openFrame(frame, sealed, isFinal: false, into: opened)
                }
            }
        }
        return message.framesPerStep * message.frameBytes
    }

    func verify() -> Bool { opened == plaintext }
}
