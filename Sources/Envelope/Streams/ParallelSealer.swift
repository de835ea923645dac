/// Seals a file or a pipe by several threads: each takes a batch of frames, seals it and writes it, by offset between
/// regular files, in turn where either end is a pipe. Memory does not depend on the length.
///
/// A signature is made over the frames while they pass, batch after batch, and follows them.
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
        let pass = try SealingPass(sealer: sealer, input: input, output: output, options: options)
        let threads = options.threadCount(frameBytes: sealer.frameBytes, frames: pass.layout?.frameCount)
        try await PassState.run(threads: threads) { try pass.work($0) }
        return pass.plaintextBytes
    }
}
