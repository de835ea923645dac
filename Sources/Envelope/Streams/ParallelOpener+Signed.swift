extension ParallelOpener {
    /// Opens a signed message into a pipe: once through for the signature, then once more for the plaintext.
    ///
    /// Whoever holds the data key can make frames whose tags verify, which is what signatures are against. So the second
    /// time each batch must be the one that was signed, byte for byte, and not only one of this key.
    func openSigned(_ opener: MessageOpener, _ input: ByteChannel, into output: ByteChannel) async throws -> Int {
        let witness = BatchWitness(backend: opener.backend)
        var plan = OpeningPlan()
        plan.signature = opener.signature
        plan.witness = witness
        guard input.isSequential else {
            let layout = try await PassState.run { _ in try Self.layout(opener, input) }
            plan.layout = layout
            let opening = ParallelOpener(options: options.witnessing(layout.plaintextBytes), limits: limits)
            _ = try await opening.run(plan, opener, input)
            return try await opening.release(layout, witness, opener, input, into: output)
        }
        let folder = options.spoolFolder
        let spool = try await PassState.run { _ in try SpoolFile(folder: folder) }
        // Its descriptor is used to the end.
        defer { withExtendedLifetime(spool) {} }
        plan.spool = spool.channel
        let layout = try await run(plan, opener, input).endedLayout
        return try await release(layout, witness, opener, spool.channel, into: output)
    }

    private func release(
        _ layout: FrameLayout?, _ witness: BatchWitness, _ opener: MessageOpener, _ input: ByteChannel,
        into output: ByteChannel
    ) async throws -> Int {
        witness.compare()
        var plan = OpeningPlan()
        plan.layout = layout
        plan.witness = witness
        plan.output = output
        return try await run(plan, opener, input).plaintextBytes
    }
}
