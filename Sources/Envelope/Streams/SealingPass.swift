import Synchronization

/// One run over an input. Threads meet at the reading lock and at their turns.
final class SealingPass: Sendable {
    private struct Reading: Sendable {
        var batches = 0
        var bytes = 0
        var ended = false
        var isPrepared = false
        /// One byte read ahead tells whether a full batch was the last.
        var ahead: UInt8?
    }

    private struct Batch {
        let number: Int
        let bytes: Int
        let frames: Int
        let endsMessage: Bool
    }

    private let sealer: MessageSealer
    private let input: ByteChannel
    private let output: ByteChannel
    private let options: PassOptions
    private let framesPerBatch: Int
    /// Known for regular files.
    let layout: FrameLayout?
    private let reading = Mutex(Reading())

    init(sealer: MessageSealer, input: ByteChannel, output: ByteChannel, options: PassOptions) throws {
        self.sealer = sealer
        self.input = input
        self.output = output
        self.options = options
        framesPerBatch = options.framesPerBatch(frameBytes: sealer.frameBytes)
        if case .positional(let bytes) = input.access {
            layout = try sealer.layout(plaintextBytes: bytes)
        } else {
            layout = nil
        }
    }

    var plaintextBytes: Int { reading.withLock { $0.bytes } }

    func work(_ state: PassState) throws {
        let buffer = BatchBuffer(frames: framesPerBatch, frameBytes: sealer.frameBytes)
        while let batch = try claim(into: buffer, state) {
            try options.checkpoint()
            if layout != nil {
                buffer.select(0..<batch.bytes, endsMessage: batch.endsMessage, frames: batch.frames)
                try input.read(into: buffer.pieces, at: batch.number * buffer.plaintextCapacity)
            }
            let sealed = UnsafeRawBufferPointer(rebasing: buffer.bytes[..<(try seal(batch, in: buffer))])
            var footer: [UInt8] = []
            if let signature = sealer.signature {
                try state.inTurn(.digest, batch.number) { signature.update(sealed) }
                if batch.endsMessage { footer = try signature.footer() }
            }
            try write(sealed, footer, batch, state)
            options.progress(batch.bytes)
        }
    }

    /// Seals each frame where its plaintext stands; answers the length of all.
    private func seal(_ batch: Batch, in buffer: BatchBuffer) throws -> Int {
        var (taken, sealed) = (0, 0)
        for index in 0..<batch.frames {
            let isFinal = batch.endsMessage && index == batch.frames - 1
            let count = min(sealer.frameBytes, batch.bytes - taken)
            sealed += try sealer.sealFrame(
                batch.number * framesPerBatch + index, UnsafeRawBufferPointer(buffer.content(index, count, isFinal: isFinal)),
                isFinal: isFinal, into: buffer.frame(index))
            taken += count
        }
        return sealed
    }

    private func write(_ sealed: UnsafeRawBufferPointer, _ footer: [UInt8], _ batch: Batch, _ state: PassState) throws {
        let header = batch.number == 0 ? sealer.header.serialized : []
        if output.isSequential {
            try state.inTurn(.write, batch.number) {
                let check = { try state.check() }
                try header.withUnsafeBytes { try output.write($0, checkpoint: check) }
                try output.write(sealed, checkpoint: check)
                try footer.withUnsafeBytes { try output.write($0, checkpoint: check) }
            }
        } else {
            let offset =
                sealer.header.byteCount + batch.number * framesPerBatch * (sealer.frameBytes + FrameLayout.regularOverhead)
            try header.withUnsafeBytes { try output.write($0, at: 0) }
            try output.write(sealed, at: offset)
            try footer.withUnsafeBytes { try output.write($0, at: offset + sealed.count) }
        }
    }

    /// The next batch, or `nil` behind the last. Pipes are read here, one thread at a time.
    private func claim(into buffer: BatchBuffer, _ state: PassState) throws -> Batch? {
        try reading.withLock { reading -> Batch? in
            try state.check()
            guard !reading.ended else { return nil }
            try prepare(&reading)
            let number = reading.batches
            var (bytes, endsMessage) = (0, false)
            if let layout {
                let start = number * buffer.plaintextCapacity
                bytes = min(buffer.plaintextCapacity, layout.plaintextBytes - start)
                endsMessage = start + bytes == layout.plaintextBytes
                if endsMessage { try input.checkEnd(layout.plaintextBytes) }
            } else {
                guard number * framesPerBatch < FrameLayout.maximumFrames - framesPerBatch else {
                    throw EnvelopeError.invalidInput("The input needs more than \(FrameLayout.maximumFrames) frames.")
                }
                (bytes, endsMessage) = try readInOrder(into: buffer, &reading, state)
            }
            let frames = max(endsMessage ? 1 : 0, (bytes + sealer.frameBytes - 1) / sealer.frameBytes)
            let batch = Batch(number: number, bytes: bytes, frames: frames, endsMessage: endsMessage)
            if layout == nil, endsMessage {
                buffer.moveToFinal(frames - 1, bytes - (frames - 1) * sealer.frameBytes)
            }
            reading.batches += 1
            reading.bytes += bytes
            reading.ended = endsMessage
            return batch
        }
    }

    private func prepare(_ reading: inout Reading) throws {
        guard !reading.isPrepared else { return }
        reading.isPrepared = true
        input.widen()
        output.widen()
        if let layout { try output.reserve(layout.messageBytes) }
    }

    private func readInOrder(
        into buffer: BatchBuffer, _ reading: inout Reading, _ state: PassState
    ) throws -> (bytes: Int, endsMessage: Bool) {
        let capacity = buffer.plaintextCapacity
        let check = { try state.check() }
        buffer.select(0..<capacity, endsMessage: false, frames: framesPerBatch)
        var filled = 0
        if let byte = reading.ahead {
            buffer.content(0, 1, isFinal: false)[0] = byte
            buffer.pieces.removeFirst(1)
            filled = 1
            reading.ahead = nil
        }
        filled += try input.read(into: buffer.pieces, checkpoint: check)
        guard filled == capacity else { return (filled, true) }
        var byte: UInt8 = 0
        let more = try withUnsafeMutableBytes(of: &byte) { try input.read(into: $0, checkpoint: check) }
        if more == 1 { reading.ahead = byte }
        return (filled, more == 0)
    }
}
