import AWSProtocol
import ArgumentParser
import Envelope
import Glibc

/// What `open` does between its ends: the header, then the key, then all of the message or a range of it.
struct MessageOpening: Sendable {
    let provider: any DataKeyProvider
    let requiredContext: EncryptionContext
    let policy: MessagePolicy
    let backend: any CipherBackend
    /// Nil: the whole plaintext.
    let range: PlaintextRange?
    let unverifiedSignature: Bool

    func run(_ ends: MessagePass.Ends) async throws -> MessageReport {
        let opening = ParallelOpener(options: ends.options, limits: MessageLimits(policy: policy))
        let header = try await readHeader(opening, ends.input)
        // Whatever can be refused without a key is refused before KMS is asked.
        try MessageExpectation(requiredContext: requiredContext).check(header)
        if range != nil, isSignedByFrames(header), !unverifiedSignature {
            throw CommandFailure(
                "--range: the message is signed as a whole, so that the signature of a part cannot be verified; "
                    + "--unverified-signature opens it all the same.", .validationFailure)
        }
        let layout = try layout(header, ends.input)
        let opener = try await opener(header)
        defer { opener.wipe() }
        ends.meter.passes = opening.passes(opener, from: ends.input, into: ends.output)
        ends.meter.total = layout.flatMap { layout in
            range.map { $0.resolved(in: layout.plaintextBytes)?.count } ?? layout.plaintextBytes
        }
        let bytes = try await open(opening, opener, ends)
        var additions: [(String, JSONValue)] = [
            ("plaintextBytes", (layout?.plaintextBytes ?? (range == nil ? bytes : nil)).map { .int(Int64($0)) } ?? .null)
        ]
        if header.suite.isSigned {
            additions.append(("signatureVerified", .bool(range == nil || !isSignedByFrames(header))))
        }
        var bytesIn: Int?
        if case .positional(let bytes) = ends.input.access { bytesIn = bytes }
        return MessageReport(
            operation: ends.output == nil ? "verify" : "open", header: header, bytesIn: bytesIn,
            bytesOut: ends.output == nil ? 0 : bytes, frames: layout?.frameCount, seconds: ends.seconds,
            cipher: backend.name, additions: additions)
    }

    /// Of an unframed message the signature is verified whatever is written of it.
    private func isSignedByFrames(_ header: MessageHeader) -> Bool {
        header.suite.isSigned && header.contentType == .framed
    }

    private func readHeader(_ opening: ParallelOpener, _ input: ByteChannel) async throws -> MessageHeader {
        do {
            return try await opening.readHeader(input)
        } catch let error as EnvelopeError where error.code == .suiteRefused {
            throw CommandFailure(
                "\(error.message) (--commitment-policy \(CommitmentPolicyChoice.allowDecrypt.rawValue))", MessageExit.message)
        }
    }

    private func opener(_ header: MessageHeader) async throws -> MessageOpener {
        try await MessageOpener(header: header, provider: provider, policy: policy, backend: backend)
    }

    /// Where the frames of a file lie, for the bar and the report: nothing rests on it.
    private func layout(_ header: MessageHeader, _ input: ByteChannel) throws -> FrameLayout? {
        guard case .positional(let total) = input.access, header.contentType == .framed else { return nil }
        return try FrameLayout.locate(header, messageBytes: total) { buffer, offset in
            guard pread(input.descriptor, buffer.baseAddress, buffer.count, off_t(offset)) == buffer.count else {
                throw EnvelopeError.inputOutput("Reading the input failed.")
            }
        }
    }

    /// The length of the plaintext that was opened or verified.
    private func open(
        _ opening: ParallelOpener, _ opener: MessageOpener, _ ends: MessagePass.Ends
    ) async throws -> Int {
        guard let output = ends.output else { return try await opening.verifyOnly(opener, ends.input) }
        guard let range else { return try await opening.open(opener, ends.input, into: output) }
        let bytes = try await self.range(range, opening, opener.header, ends.input)
        return try await opening.openRange(
            bytes, opener, ends.input, into: output, unverifiedSignature: unverifiedSignature)
    }

    /// The end of a plaintext is known when its final frame was verified.
    private func range(
        _ range: PlaintextRange, _ opening: ParallelOpener, _ header: MessageHeader, _ input: ByteChannel
    ) async throws -> Range<Int> {
        switch range {
        case .from(let first, let last): return first..<(last.map { $0 + 1 } ?? Int.max)
        case .last:
            // An opener serves one pass, and of an unframed message this is one.
            let measuring = try await opener(header)
            defer { measuring.wipe() }
            let length = try await opening.verifiedLength(measuring, input)
            guard let bytes = range.resolved(in: length) else {
                throw CommandFailure("--range: the plaintext has no byte.", .validationFailure)
            }
            return bytes
        }
    }
}
