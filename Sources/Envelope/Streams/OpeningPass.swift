import Synchronization

/// One run over a message's frames. Threads meet at the reading lock and at their turns.
final class OpeningPass: Sendable {
    struct Reading: Sendable {
        var batches = 0
        /// Sealed length of all batches.
        var sealedBytes = 0
        /// Plaintext that was opened and wanted.
        var plaintextBytes = 0
        var ended = false
        var isPrepared = false
        /// What followed the final frame of a pipe.
        var footer: [UInt8] = []
    }

    struct Batch {
        let number: Int
        let firstFrame: Int
        let frames: Int
        /// Sealed length of the batch.
        let bytes: Int
        let endsMessage: Bool
    }

    let plan: OpeningPlan
    let opener: MessageOpener
    let input: ByteChannel
    let options: PassOptions
    let framesPerBatch: Int
    private let reading = Mutex(Reading())

    init(plan: OpeningPlan, opener: MessageOpener, input: ByteChannel, options: PassOptions) {
        self.plan = plan
        self.opener = opener
        self.input = input
        self.options = options
        framesPerBatch = options.framesPerBatch(frameBytes: opener.header.frameBytes)
    }

    var frameBytes: Int { opener.header.frameBytes }
    var regularBytes: Int { frameBytes + FrameLayout.regularOverhead }

    /// Plaintext that was wanted.
    var plaintextBytes: Int { reading.withLock { $0.plaintextBytes } }

    /// The layout that a pipe turned out to have, up to its footer.
    var endedLayout: FrameLayout? {
        guard plan.layout == nil else { return plan.layout }
        return try? FrameLayout(
            headerBytes: opener.header.byteCount, frameBytes: frameBytes,
            messageBytes: opener.header.byteCount + reading.withLock { $0.sealedBytes })
    }

    /// Verifies that the message has ended and is signed as it must be.
    func finish() throws {
        let (ended, readFooter) = reading.withLock { ($0.ended, $0.footer) }
        guard ended else { throw EnvelopeError.authentication }
        guard let signature = plan.signature else { return }
        var footer = readFooter
        if let layout = plan.layout {
            footer = [UInt8](repeating: 0, count: layout.footerBytes)
            try footer.withUnsafeMutableBytes { try input.read(into: $0, at: layout.footerOffset) }
        }
        try footer.withUnsafeBytes { try signature.verify(footer: $0) }
    }

    func work(_ state: PassState) throws {
        let buffer = BatchBuffer(frames: framesPerBatch, frameBytes: frameBytes)
        while let batch = try claim(into: buffer, state) {
            try options.checkpoint()
            let sealed = UnsafeMutableRawBufferPointer(rebasing: buffer.bytes[..<batch.bytes])
            let offset = opener.header.byteCount + batch.firstFrame * regularBytes
            if plan.layout != nil { try input.read(into: sealed, at: offset) }
            try plan.spool?.write(UnsafeRawBufferPointer(sealed), at: offset)
            try plan.witness?.see(batch.number, UnsafeRawBufferPointer(sealed))
            if let signature = plan.signature {
                // Before the frames are opened where they stand.
                try state.inTurn(.digest, batch.number) { signature.update(UnsafeRawBufferPointer(sealed)) }
            }
            let opened = try open(batch, in: buffer)
            let wanted = try write(opened, batch, buffer, state)
            reading.withLock { $0.plaintextBytes += wanted }
            options.progress(wanted)
        }
    }

    /// Opens each frame where it stands; answers the length of all plaintext.
    private func open(_ batch: Batch, in buffer: BatchBuffer) throws -> Int {
        var (taken, opened) = (0, 0)
        for index in 0..<batch.frames {
            let isFinal = batch.endsMessage && index == batch.frames - 1
            let length = isFinal ? batch.bytes - taken : regularBytes
            let overhead = isFinal ? FrameLayout.finalOverhead : FrameLayout.regularOverhead
            guard length >= overhead else { throw EnvelopeError.authentication }
            opened += try opener.openFrame(
                batch.firstFrame + index, UnsafeRawBufferPointer(rebasing: buffer.frame(index)[..<length]), isFinal: isFinal,
                into: buffer.content(index, length - overhead, isFinal: isFinal))
            taken += length
        }
        return opened
    }

    /// Writes what is wanted of a batch; answers how much that was.
    private func write(_ opened: Int, _ batch: Batch, _ buffer: BatchBuffer, _ state: PassState) throws -> Int {
        let start = batch.firstFrame * frameBytes
        let part = plan.wanted.map { $0.clamped(to: start..<start + opened) } ?? start..<start + opened
        guard let output = plan.output else { return part.count }
        buffer.select(part.lowerBound - start..<part.upperBound - start, endsMessage: batch.endsMessage, frames: batch.frames)
        if output.isSequential {
            try state.inTurn(.write, batch.number) { try output.write(buffer.pieces) { try state.check() } }
        } else {
            try output.write(buffer.pieces, at: part.lowerBound - (plan.wanted?.lowerBound ?? 0))
        }
        return part.count
    }

    /// The next batch, or `nil` behind the last. Pipes are read here, one thread at a time.
    private func claim(into buffer: BatchBuffer, _ state: PassState) throws -> Batch? {
        try reading.withLock { reading -> Batch? in
            try state.check()
            guard !reading.ended else { return nil }
            try prepare(&reading)
            if let layout = plan.layout { return next(&reading, in: layout) }
            guard reading.batches * framesPerBatch < FrameLayout.maximumFrames else { throw EnvelopeError.authentication }
            if plan.spool != nil, (reading.batches + 1) * framesPerBatch * regularBytes > options.maximumSpoolBytes {
                throw EnvelopeError.tooLarge(
                    "The message is signed and longer than the \(options.maximumSpoolBytes) bytes that are kept while the "
                        + "signature is verified; open it from a file, or into one.")
            }
            let batch = try readInOrder(number: reading.batches, into: buffer, &reading, state)
            reading.batches += 1
            reading.sealedBytes += batch.bytes
            reading.ended = batch.endsMessage
            return batch
        }
    }

    private func next(_ reading: inout Reading, in layout: FrameLayout) -> Batch? {
        let all = plan.frames(in: layout)
        let first = all.lowerBound + reading.batches * framesPerBatch
        let frames = first..<min(first + framesPerBatch, all.upperBound)
        reading.ended = frames.upperBound == all.upperBound
        guard !frames.isEmpty else { return nil }
        let number = reading.batches
        reading.batches += 1
        return Batch(
            number: number, firstFrame: first, frames: frames.count, bytes: layout.messageRange(ofFrames: frames).count,
            endsMessage: frames.upperBound == layout.frameCount)
    }

    private func prepare(_ reading: inout Reading) throws {
        guard !reading.isPrepared else { return }
        reading.isPrepared = true
        plan.output?.widen()
        guard let layout = plan.layout else { return }
        try plan.output?.reserve(plan.wanted?.count ?? layout.plaintextBytes)
    }
}
