/// Opens a file or a pipe by several threads. What reaches the output was verified frame by frame; that the message is
/// complete is known at the end only, so a file is published, and a pipe believed, when `open` returned.
///
/// Of a signed message nothing reaches a pipe before the signature was verified: the message is read twice, and one that
/// comes from a pipe itself is kept meanwhile, as ciphertext (``PassOptions/spoolFolder``). Of an unframed message nothing
/// leaves before its one tag was.
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
        return try await PassState.run { state in
            input.widen()
            var bytes: [UInt8] = []
            while true {
                try checkpoint()
                switch try MessageHeader.parse(bytes[...], limits: limits) {
                case .header(let header): return header
                case .needs(let total):
                    let more = try Self.read(input, from: bytes.count, count: total - bytes.count, state)
                    guard more.count == total - bytes.count else { throw EnvelopeError.authentication }
                    bytes += more
                }
            }
        }
    }

    private static func read(
        _ input: ByteChannel, from offset: Int, count: Int, _ state: PassState
    ) throws -> [UInt8] {
        var available = count
        if case .positional(let total) = input.access { available = max(0, min(count, total - offset)) }
        return try [UInt8](unsafeUninitializedCapacity: available) { buffer, initialized in
            let target = UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(buffer)[..<available])
            if input.isSequential {
                initialized = try input.read(into: target) { try state.check() }
            } else {
                try input.read(into: target, at: offset)
                initialized = available
            }
        }
    }

    /// Opens everything behind the header into `output` and answers the plaintext's length.
    @discardableResult
    package func open(_ opener: MessageOpener, _ input: ByteChannel, into output: ByteChannel) async throws -> Int {
        try await run(opener, input, into: output)
    }

    /// Verifies every byte behind the header and answers the plaintext's length. The plaintext goes nowhere.
    @discardableResult
    package func verifyOnly(_ opener: MessageOpener, _ input: ByteChannel) async throws -> Int {
        try await run(opener, input, into: nil)
    }

    /// How often ``open(_:_:into:)`` goes through the message.
    package func passes(_ opener: MessageOpener, from input: ByteChannel, into output: ByteChannel?) -> Int {
        opener.signature != nil && opener.header.contentType == .framed && output?.isSequential == true ? 2 : 1
    }

    private func run(_ opener: MessageOpener, _ input: ByteChannel, into output: ByteChannel?) async throws -> Int {
        guard opener.header.contentType == .framed else {
            return try await openUnframed(opener, input, wanted: nil, into: output)
        }
        if passes(opener, from: input, into: output) == 2, let output {
            return try await openSigned(opener, input, into: output)
        }
        var plan = OpeningPlan()
        plan.output = output
        plan.signature = opener.signature
        if !input.isSequential {
            // A pipe's reader is not given the front of a message that was cut short.
            plan.layout =
                output?.isSequential == true
                ? try await verifiedLayout(opener, input) : try await PassState.run { _ in try Self.layout(opener, input) }
        }
        return try await run(plan, opener, input).plaintextBytes
    }

    /// Runs a pass to its end, the footer included.
    func run(_ plan: OpeningPlan, _ opener: MessageOpener, _ input: ByteChannel) async throws -> OpeningPass {
        let pass = OpeningPass(plan: plan, opener: opener, input: input, options: options)
        let frameBytes = opener.header.frameBytes
        let frames = plan.layout.map { plan.frames(in: $0).count }
        try await PassState.run(threads: options.threadCount(frameBytes: frameBytes, frames: frames)) { try pass.work($0) }
        try await PassState.run { _ in try pass.finish() }
        return pass
    }

    static func layout(_ opener: MessageOpener, _ input: ByteChannel) throws -> FrameLayout {
        guard case .positional(let total) = input.access else {
            preconditionFailure("internal: only a regular file has a known layout")
        }
        return try FrameLayout.locate(opener.header, messageBytes: total) { try input.read(into: $0, at: $1) }
    }
}
