package import Envelope

/// One message's ways in, and what came of each.
package struct MessageOpening: Sendable {
    package enum Way: String, Sendable, CaseIterable { case memory, file, pipe }

    package enum Outcome: Equatable, Sendable {
        case opened([UInt8]), refused(EnvelopeError)

        /// Whether two ways may differ so: a pipe's length is believed to be what the message says, until it ends.
        func agrees(with other: Outcome) -> Bool {
            if case (.refused(let one), .refused(let two)) = (self, other) {
                return one.code == two.code || one.code == .tooLarge || two.code == .tooLarge
            }
            return self == other
        }
    }

    package let provider: any DataKeyProvider
    package let backend: any CipherBackend
    package let policy: MessagePolicy

    package init(
        provider: any DataKeyProvider, backend: any CipherBackend = BoringSSLBackend(),
        policy: MessagePolicy = .requireCommitment
    ) {
        self.provider = provider
        self.backend = backend
        self.policy = policy
    }

    /// Small batches and two threads: short messages then cross from batch to batch.
    private static var options: PassOptions {
        var options = PassOptions()
        options.threads = 2
        options.batchBytes = 64
        return options
    }

    private var limits: MessageLimits { MessageLimits(policy: policy) }

    /// What opening ends in, and what had left by then. Throws a ``FuzzFinding`` for refusals that no reader may see.
    package func attempt(_ message: [UInt8], _ way: Way) async throws -> (outcome: Outcome, released: [UInt8]) {
        if way == .memory {
            let outcome = try await outcome {
                try await MessageOpener.openMessage(
                    message, provider: provider, limits: limits, backend: backend
                ).plaintext
            }
            return (outcome, [])
        }
        let access = way == .file ? MemoryFile.Access.positional : .sequential
        let output = try MemoryFile()
        let outcome = try await outcome {
            let input = try MemoryFile(message)
            let source = try input.channel(access)
            let stream = ParallelOpener(options: Self.options, limits: limits)
            let opener = try await MessageOpener(
                header: try await stream.readHeader(source), provider: provider, policy: policy, backend: backend)
            defer { opener.wipe() }
            let count = try await stream.open(opener, source, into: try output.channel(access))
            let plaintext = try output.contents()
            guard count == plaintext.count else { throw FuzzFinding("\(count) bytes are told of, \(plaintext.count) written") }
            return plaintext
        }
        return (outcome, try output.contents())
    }

    package func inMemory(_ message: [UInt8]) async throws -> Outcome { try await attempt(message, .memory).outcome }

    /// A range from the bytes of its frames alone; `nil` where the message has none.
    func range(_ range: Range<Int>, _ message: [UInt8]) async throws -> [UInt8]? {
        let header = try MessageHeader.parse(whole: message[...], limits: limits)
        guard header.contentType == .framed else { return nil }
        let layout = try message.withUnsafeBytes { try FrameLayout.locate(header, in: $0) }
        let opener = try await MessageOpener(header: header, provider: provider, policy: policy, backend: backend)
        defer { opener.wipe() }
        let body = message[layout.messageRange(ofFrames: layout.frames(ofPlaintext: range))]
        return try opener.openRange(range, of: layout, body: body)
    }

    private func outcome(_ body: () async throws -> [UInt8]) async throws -> Outcome {
        do {
            return .opened(try await body())
        } catch let error as EnvelopeError where error.code.isRefusal {
            return .refused(error)
        }
    }
}

extension EnvelopeError.Code {
    /// What a reader may see: one error for whatever is not authentic, and those for what a message says of itself before any
    /// key is used.
    package var isRefusal: Bool { self == .authentication || saysKind }

    /// The message says that it is of a kind, or unframed and of a length, that is not opened.
    package var saysKind: Bool { self == .suiteRefused || self == .tooLarge }
}
