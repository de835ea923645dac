import Envelope

/// Opens the same bytes in memory, as a file, as a pipe and by range: all must agree.
enum OpeningCheck {
    static func run(_ input: ArraySlice<UInt8>, provider: any DataKeyProvider, backend: any CipherBackend) async throws {
        var reader = FuzzReader(input)
        let (from, to) = (reader.short(), reader.short())
        let opening = MessageOpening(provider: provider, backend: backend)
        let message = reader.remaining()
        let whole = try await opening.inMemory(message)
        for end in [MemoryFile.Access.positional, .sequential] {
            let streamed = try await opening.streamed(message, end)
            guard streamed.outcome == whole else {
                throw FuzzFinding("in memory: \(whole), as \(end): \(streamed.outcome)")
            }
        }
        guard case .opened(let plaintext) = whole else { return }
        let lower = from % (plaintext.count + 1)
        let upper = lower + to % (plaintext.count - lower + 1)
        guard try await opening.range(lower..<upper, message) == Array(plaintext[lower..<upper]) else {
            throw FuzzFinding("the range \(lower)..<\(upper) differs from the same bytes of the whole message")
        }
    }
}

/// One message's ways in.
struct MessageOpening {
    enum Outcome: Equatable { case opened([UInt8]), refused(EnvelopeError) }

    let provider: any DataKeyProvider
    let backend: any CipherBackend

    /// Small batches and two threads: short inputs then cross from batch to batch.
    private static var options: PassOptions {
        var options = PassOptions()
        options.threads = 2
        options.batchBytes = 64
        return options
    }

    func inMemory(_ message: [UInt8]) async throws -> Outcome {
        try await outcome {
            try await MessageOpener.openMessage(message, provider: provider, backend: backend).plaintext
        }
    }

    /// `released`: what had left when the message was refused.
    func streamed(_ message: [UInt8], _ end: MemoryFile.Access) async throws -> (outcome: Outcome, released: [UInt8]) {
        let output = try MemoryFile()
        let outcome = try await outcome {
            let input = try MemoryFile(message)
            let source = try input.channel(end)
            let stream = ParallelOpener(options: Self.options)
            let opener = try await MessageOpener(
                header: try await stream.readHeader(source), provider: provider, backend: backend)
            defer { opener.wipe() }
            let sink = try output.channel(end)
            let count = try await stream.open(opener, source, into: sink)
            let plaintext = try output.contents()
            guard count == plaintext.count else { throw FuzzFinding("\(count) bytes are told of, \(plaintext.count) written") }
            return plaintext
        }
        return (outcome, try output.contents())
    }

    func range(_ range: Range<Int>, _ message: [UInt8]) async throws -> [UInt8] {
        let header = try MessageHeader.parse(whole: message[...])
        let layout = try FrameLayout(
            headerBytes: header.byteCount, frameBytes: header.frameBytes, messageBytes: message.count)
        let opener = try await MessageOpener(header: header, provider: provider, backend: backend)
        defer { opener.wipe() }
        let body = message[layout.messageRange(ofFrames: layout.frames(ofPlaintext: range))]
        return try opener.openRange(range, of: layout, body: body)
    }

    /// The only refusals that a reader may see; anything else is a finding.
    private func outcome(_ body: () async throws -> [UInt8]) async throws -> Outcome {
        do {
            return .opened(try await body())
        } catch let error as EnvelopeError where error.code == .authentication || error.code == .suiteRefused {
            return .refused(error)
        }
    }
}
