import Secrets

extension ParallelOpener {
    /// Opens an unframed message, held in memory as a whole: nothing of it is authentic before its end. `wanted` is the
    /// part that is written; `nil` is all. Answers its length.
    ///
    /// Throws `tooLarge` over the limits' bound.
    func openUnframed(
        _ opener: MessageOpener, _ input: ByteChannel, wanted: Range<Int>?, into output: ByteChannel?
    ) async throws -> Int {
        let (limits, options) = (limits, options)
        return try await PassState.run { state in
            let body = try UnframedReader(opener: opener, input: input, limits: limits).read {
                try state.check()
                try options.checkpoint()
            }
            defer { body.wipe() }
            if let signature = opener.signature {
                signature.update(UnsafeRawBufferPointer(body.bytes))
                try body.footer.withUnsafeBytes { try signature.verify(footer: $0) }
            }
            // Opened where it stands.
            let content = UnsafeMutableRawBufferPointer(
                rebasing: body.bytes[MessageOpener.unframedPrefixBytes..<body.bytes.count - AlgorithmSuite.tagBytes])
            try opener.codec.openUnframed(UnsafeRawBufferPointer(body.bytes), into: content)
            try options.checkpoint()
            let part = try wanted.map { try Self.resolve($0, length: content.count) } ?? 0..<content.count
            let plaintext = UnsafeRawBufferPointer(rebasing: content[part])
            if let output, output.isSequential {
                output.widen()
                try output.write(plaintext) { try state.check() }
            } else {
                try output?.write(plaintext, at: 0)
            }
            options.progress(part.count)
            return part.count
        }
    }
}

/// Reads what follows the header of an unframed message.
private struct UnframedReader {
    final class Body {
        let bytes: UnsafeMutableRawBufferPointer
        var footer: [UInt8] = []

        init(byteCount: Int) { bytes = .allocate(byteCount: byteCount, alignment: 64) }

        deinit { bytes.deallocate() }

        func wipe() { Secrets.wipe(bytes) }
    }

    let opener: MessageOpener
    let input: ByteChannel
    let limits: MessageLimits

    /// Throws `authentication` where lengths contradict what is there, before anything of that length is allocated.
    func read(checkpoint: () throws -> Void) throws -> Body {
        let start = opener.header.byteCount
        let longestFooter = FrameLayout.maximumFooterBytes(opener.header.suite)
        var prefix = [UInt8](repeating: 0, count: MessageOpener.unframedPrefixBytes)
        try prefix.withUnsafeMutableBytes { try fill($0, at: start, checkpoint) }
        if case .positional(let total) = input.access {
            let claimed = try prefix.withUnsafeBytes { try UnframedBody.contentBytes($0) } + UnframedBody.overheadBytes
            guard (0...longestFooter).contains(total - start - claimed) else { throw EnvelopeError.authentication }
        }
        let bodyBytes = try prefix.withUnsafeBytes { prefix throws(EnvelopeError) in
            try MessageOpener.unframedBodyBytes(prefix: prefix, limits: limits)
        }
        let body = Body(byteCount: bodyBytes)
        body.bytes.copyBytes(from: prefix)
        let rest = UnsafeMutableRawBufferPointer(rebasing: body.bytes[prefix.count...])
        try fill(rest, at: start + prefix.count, checkpoint)
        body.footer = try footer(at: start + bodyBytes, longest: longestFooter, checkpoint)
        return body
    }

    private func fill(_ buffer: UnsafeMutableRawBufferPointer, at offset: Int, _ checkpoint: () throws -> Void) throws {
        guard case .positional(let total) = input.access else {
            guard try input.read(into: buffer, checkpoint: checkpoint) == buffer.count else { throw EnvelopeError.authentication }
            return
        }
        guard offset + buffer.count <= total else { throw EnvelopeError.authentication }
        try input.read(into: buffer, at: offset)
    }

    private func footer(at offset: Int, longest: Int, _ checkpoint: () throws -> Void) throws -> [UInt8] {
        var footer = [UInt8](repeating: 0, count: longest + 1)
        guard case .positional(let total) = input.access else {
            let count = try footer.withUnsafeMutableBytes { try input.read(into: $0, checkpoint: checkpoint) }
            guard count <= longest else { throw EnvelopeError.authentication }
            return Array(footer[..<count])
        }
        footer.removeLast(footer.count - (total - offset))
        try footer.withUnsafeMutableBytes { try input.read(into: $0, at: offset) }
        return footer
    }
}
