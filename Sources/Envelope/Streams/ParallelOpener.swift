import Glibc
import Secrets
import Synchronization

/// Opens a file or a pipe by several threads. What reaches the output was verified frame by frame; that the message is
/// complete is known at the end only, so a file is published, and a pipe believed, when `open` returned.
package struct ParallelOpener: Sendable {
    package let options: PassOptions
    package let limits: MessageLimits

    package init(options: PassOptions = PassOptions(), limits: MessageLimits = .standard) {
        self.options = options
        self.limits = limits
    }

    /// Reads the header at the input's beginning. A pipe then stands behind it.
    package func readHeader(_ input: ByteChannel) async throws -> MessageHeader {
        let (limits, checkpoint) = (limits, options.checkpoint)
        let result = Mutex<MessageHeader?>(nil)
        let box = HeaderBox(result)
        try await PassState.run(threads: 1) { state in
            var bytes: [UInt8] = []
            while true {
                try checkpoint()
                switch try MessageHeader.parse(bytes[...], limits: limits) {
                case .header(let header):
                    box.header.withLock { $0 = header }
                    return
                case .needs(let total):
                    let more = try Self.read(input, from: bytes.count, count: total - bytes.count, state)
                    guard more.count == total - bytes.count else { throw EnvelopeError.authentication }
                    bytes += more
                }
            }
        }
        guard let header = box.header.withLock({ $0 }) else { throw EnvelopeError.authentication }
        return header
    }

    private final class HeaderBox: Sendable {
        let header: Mutex<MessageHeader?>
        init(_ header: consuming sending Mutex<MessageHeader?>) { self.header = header }
    }

    private static func read(
        _ input: ByteChannel, from offset: Int, count: Int, _ state: PassState
    ) throws -> [UInt8] {
        var available = count
        if case .positional(let total) = input.access { available = max(0, min(count, total - offset)) }
        return try [UInt8](unsafeUninitializedCapacity: available) { buffer, initialized in
            let target = UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(buffer)[..<available])
            if case .positional = input.access {
                try input.read(into: target, at: offset)
                initialized = available
            } else {
                initialized = try input.read(into: target) { try state.check() }
            }
        }
    }

    /// Opens everything behind the header into `output` and answers the plaintext's length.
    @discardableResult
    package func open(_ opener: MessageOpener, _ input: ByteChannel, into output: ByteChannel) async throws -> Int {
        guard opener.signature == nil, opener.header.contentType == .framed else {
            throw EnvelopeError.suiteRefused("Signed and unframed messages are not opened as streams.")
        }
        let pass = try OpeningPass(opener: opener, input: input, output: output, options: options)
        try await PassState.run(threads: options.threadCount(frameBytes: opener.header.frameBytes)) { try pass.work($0) }
        return try pass.finish()
    }
}

private final class OpeningPass: Sendable {
    private struct Reading: Sendable {
        var batches = 0
        var plaintextBytes = 0
        var ended = false
    }

    private struct Batch {
        let number: Int
        let frames: Int
        /// Sealed length of the batch.
        let bytes: Int
        let isLast: Bool
        let offset: Int?
    }

    let opener: MessageOpener
    let input: ByteChannel
    let output: ByteChannel
    let options: PassOptions
    let framesPerBatch: Int
    /// Known for regular files.
    let layout: FrameLayout?
    private let reading = Mutex(Reading())

    init(opener: MessageOpener, input: ByteChannel, output: ByteChannel, options: PassOptions) throws {
        self.opener = opener
        self.input = input
        self.output = output
        self.options = options
        framesPerBatch = options.framesPerBatch(frameBytes: opener.header.frameBytes)
        if case .positional(let total) = input.access {
            layout = try FrameLayout(
                headerBytes: opener.header.byteCount, frameBytes: opener.header.frameBytes, messageBytes: total)
        } else {
            layout = nil
        }
    }

    private var frameBytes: Int { opener.header.frameBytes }
    private var regularBytes: Int { frameBytes + FrameLayout.regularOverhead }

    func finish() throws -> Int {
        try reading.withLock { reading in
            guard reading.ended else { throw EnvelopeError.authentication }
            return reading.plaintextBytes
        }
    }

    func work(_ state: PassState) throws {
        let sealed = UnsafeMutableRawBufferPointer.allocate(
            byteCount: framesPerBatch * regularBytes + FrameLayout.finalOverhead, alignment: 64)
        let plaintext = UnsafeMutableRawBufferPointer.allocate(byteCount: framesPerBatch * frameBytes, alignment: 64)
        defer {
            wipe(plaintext)
            plaintext.deallocate()
            sealed.deallocate()
        }
        while let batch = try claim(into: sealed, state) {
            try options.checkpoint()
            if let offset = batch.offset {
                try input.read(into: UnsafeMutableRawBufferPointer(rebasing: sealed[..<batch.bytes]), at: offset)
            }
            let count = try openFrames(of: batch, UnsafeRawBufferPointer(sealed), into: plaintext)
            try write(UnsafeRawBufferPointer(rebasing: plaintext[..<count]), batch, state)
            reading.withLock { $0.plaintextBytes += count }
            options.progress(count)
        }
    }

    private func openFrames(
        of batch: Batch, _ sealed: UnsafeRawBufferPointer, into plaintext: UnsafeMutableRawBufferPointer
    ) throws -> Int {
        var (taken, written) = (0, 0)
        for frame in 0..<batch.frames {
            let isFinal = batch.isLast && frame == batch.frames - 1
            let length = isFinal ? batch.bytes - taken : regularBytes
            written += try opener.openFrame(
                batch.number * framesPerBatch + frame,
                UnsafeRawBufferPointer(rebasing: sealed[taken..<taken + length]), isFinal: isFinal,
                into: UnsafeMutableRawBufferPointer(rebasing: plaintext[written...]))
            taken += length
        }
        return written
    }

    private func write(_ plaintext: UnsafeRawBufferPointer, _ batch: Batch, _ state: PassState) throws {
        if case .positional = output.access {
            try output.write(plaintext, at: batch.number * framesPerBatch * frameBytes)
        } else {
            try state.inTurn(batch.number) { try output.write(plaintext) { try state.check() } }
        }
    }

    private func claim(into buffer: UnsafeMutableRawBufferPointer, _ state: PassState) throws -> Batch? {
        try reading.withLock { reading -> Batch? in
            try state.check()
            guard !reading.ended else { return nil }
            guard reading.batches * framesPerBatch < FrameLayout.maximumFrames else { throw EnvelopeError.authentication }
            let batch: Batch
            if let layout {
                let first = reading.batches * framesPerBatch
                let frames = first..<min(first + framesPerBatch, layout.frameCount)
                let range = layout.messageRange(ofFrames: frames)
                batch = Batch(
                    number: reading.batches, frames: frames.count, bytes: range.count,
                    isLast: frames.upperBound == layout.frameCount, offset: range.lowerBound)
            } else {
                batch = try readInOrder(number: reading.batches, into: buffer, state)
            }
            reading.batches += 1
            reading.ended = batch.isLast
            return batch
        }
    }

    /// Reads a batch of a pipe and finds the final frame by its mark. What follows the final frame must be nothing.
    private func readInOrder(
        number: Int, into buffer: UnsafeMutableRawBufferPointer, _ state: PassState
    ) throws -> Batch {
        let check = { try state.check() }
        let wanted = framesPerBatch * regularBytes
        var filled = try input.read(
            into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<wanted]), checkpoint: check)
        let bytes = UnsafeRawBufferPointer(buffer)
        for frame in 0..<framesPerBatch {
            let start = frame * regularBytes
            guard start + 4 <= filled else { throw EnvelopeError.authentication }
            guard bytes.bigEndianUInt32(at: start) == FrameLayout.finalMark else { continue }
            let contentAt = start + 8 + AlgorithmSuite.nonceBytes
            if filled < start + FrameLayout.finalOverhead && filled == wanted {
                filled += try input.read(
                    into: UnsafeMutableRawBufferPointer(rebasing: buffer[filled..<start + FrameLayout.finalOverhead]),
                    checkpoint: check)
            }
            guard contentAt + 4 <= filled else { throw EnvelopeError.authentication }
            let content = Int(bytes.bigEndianUInt32(at: contentAt))
            guard content <= frameBytes else { throw EnvelopeError.authentication }
            let end = start + FrameLayout.finalOverhead + content
            if filled < end {
                filled += try input.read(
                    into: UnsafeMutableRawBufferPointer(rebasing: buffer[filled..<end]), checkpoint: check)
            }
            guard filled == end, try isAtEnd(check) else { throw EnvelopeError.authentication }
            return Batch(number: number, frames: frame + 1, bytes: end, isLast: true, offset: nil)
        }
        guard filled == wanted else { throw EnvelopeError.authentication }
        return Batch(number: number, frames: framesPerBatch, bytes: wanted, isLast: false, offset: nil)
    }

    private func isAtEnd(_ check: () throws -> Void) throws -> Bool {
        var byte: UInt8 = 0
        return try withUnsafeMutableBytes(of: &byte) { try input.read(into: $0, checkpoint: check) } == 0
    }
}
