import Glibc
import Secrets
import Synchronization

/// Seals a file or a pipe by several threads: each takes a batch of frames, seals it and writes it, by offset between
/// regular files, in turn where either end is a pipe. Memory does not depend on the length.
package struct ParallelSealer: Sendable {
    package let sealer: MessageSealer
    package let options: PassOptions

    package init(_ sealer: MessageSealer, options: PassOptions = PassOptions()) {
        self.sealer = sealer
        self.options = options
    }

    /// Seals all of `input` into `output` and answers the plaintext's length. A sealer seals one message only.
    @discardableResult
    package func seal(_ input: ByteChannel, into output: ByteChannel) async throws -> Int {
        let pass = SealingPass(sealer: sealer, input: input, output: output, options: options)
        try await PassState.run(threads: options.threadCount(frameBytes: sealer.frameBytes)) { try pass.work($0) }
        return pass.plaintextBytes
    }
}

/// One run over an input. Threads meet at the reading lock and at the turn to write.
private final class SealingPass: Sendable {
    private struct Reading: Sendable {
        var batches = 0
        var bytes = 0
        var ended = false
        /// One byte read ahead tells whether a full batch was the last.
        var ahead: UInt8?
    }

    private struct Batch {
        let number: Int
        let bytes: Int
        let isLast: Bool
        /// Where to read it from outside the lock, for regular files.
        let offset: Int?
    }

    let sealer: MessageSealer
    let input: ByteChannel
    let output: ByteChannel
    let options: PassOptions
    let framesPerBatch: Int
    private let reading = Mutex(Reading())

    init(sealer: MessageSealer, input: ByteChannel, output: ByteChannel, options: PassOptions) {
        self.sealer = sealer
        self.input = input
        self.output = output
        self.options = options
        framesPerBatch = options.framesPerBatch(frameBytes: sealer.frameBytes)
    }

    var plaintextBytes: Int { reading.withLock { $0.bytes } }

    private var batchBytes: Int { framesPerBatch * sealer.frameBytes }

    func work(_ state: PassState) throws {
        let plaintext = UnsafeMutableRawBufferPointer.allocate(byteCount: batchBytes, alignment: 64)
        let sealed = UnsafeMutableRawBufferPointer.allocate(
            byteCount: sealer.sealedBytesBound(forPlaintext: batchBytes), alignment: 64)
        defer {
            wipe(plaintext)
            plaintext.deallocate()
            sealed.deallocate()
        }
        while let batch = try claim(into: plaintext, state) {
            try options.checkpoint()
            let content = UnsafeMutableRawBufferPointer(rebasing: plaintext[..<batch.bytes])
            if let offset = batch.offset { try input.read(into: content, at: offset) }
            let firstFrame = batch.number * framesPerBatch
            let count = try sealer.sealFrames(
                from: firstFrame, UnsafeRawBufferPointer(content), isFinal: batch.isLast, into: sealed)
            try write(UnsafeRawBufferPointer(rebasing: sealed[..<count]), batch, state)
            options.progress(batch.bytes)
        }
    }

    private func write(_ sealed: UnsafeRawBufferPointer, _ batch: Batch, _ state: PassState) throws {
        let header = sealer.header.serialized
        if case .positional = output.access {
            if batch.number == 0 { try header.withUnsafeBytes { try output.write($0, at: 0) } }
            let frame = sealer.frameBytes + FrameLayout.regularOverhead
            try output.write(sealed, at: header.count + batch.number * framesPerBatch * frame)
        } else {
            try state.inTurn(batch.number) {
                let check = { try state.check() }
                if batch.number == 0 { try header.withUnsafeBytes { try output.write($0, checkpoint: check) } }
                try output.write(sealed, checkpoint: check)
            }
        }
    }

    /// The next batch, or `nil` behind the last. Pipes are read here, one thread at a time.
    private func claim(into buffer: UnsafeMutableRawBufferPointer, _ state: PassState) throws -> Batch? {
        try reading.withLock { reading -> Batch? in
            try state.check()
            guard !reading.ended else { return nil }
            guard reading.batches * framesPerBatch < FrameLayout.maximumFrames - framesPerBatch else {
                throw EnvelopeError.invalidInput("The input needs more than \(FrameLayout.maximumFrames) frames.")
            }
            let number = reading.batches
            let batch: Batch
            switch input.access {
            case .positional(let total):
                let offset = number * batchBytes
                let bytes = min(batchBytes, total - offset)
                let isLast = offset + bytes == total
                if isLast { try checkLength(total) }
                batch = Batch(number: number, bytes: bytes, isLast: isLast, offset: offset)
            case .sequential:
                let (bytes, isLast) = try readInOrder(into: buffer, &reading, state)
                batch = Batch(number: number, bytes: bytes, isLast: isLast, offset: nil)
            }
            reading.batches += 1
            reading.bytes += batch.bytes
            reading.ended = batch.isLast
            return batch
        }
    }

    /// A file that grew was not sealed as a whole: say so instead of leaving out its end.
    private func checkLength(_ expected: Int) throws {
        guard case .positional(expected) = try ByteChannel.file(input.descriptor).access else {
            throw EnvelopeError.inputOutput("The input changed its length while it was read.")
        }
    }

    private func readInOrder(
        into buffer: UnsafeMutableRawBufferPointer, _ reading: inout Reading, _ state: PassState
    ) throws -> (bytes: Int, isLast: Bool) {
        var filled = 0
        if let byte = reading.ahead {
            buffer[0] = byte
            filled = 1
            reading.ahead = nil
        }
        let check = { try state.check() }
        filled += try input.read(
            into: UnsafeMutableRawBufferPointer(rebasing: buffer[filled..<batchBytes]), checkpoint: check)
        guard filled == batchBytes else { return (filled, true) }
        var byte: UInt8 = 0
        let more = try withUnsafeMutableBytes(of: &byte) { try input.read(into: $0, checkpoint: check) }
        if more == 1 { reading.ahead = byte }
        return (filled, more == 0)
    }
}
