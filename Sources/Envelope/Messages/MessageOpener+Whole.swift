import Secrets

extension MessageOpener {
    /// A whole message in memory, for what is small, framed or not. Throws before a single byte is released, the
    /// signature included.
    ///
    /// Throws `suiteRefused` where the limits' policy does not allow the suite, `tooLarge` for too long an unframed one.
    package static func openMessage(
        _ message: [UInt8], provider: any DataKeyProvider, expecting expectation: MessageExpectation = .init(),
        limits: MessageLimits = .standard, backend: any CipherBackend = BoringSSLBackend()
    ) async throws -> (plaintext: [UInt8], header: MessageHeader) {
        let header = try MessageHeader.parse(whole: message[...], limits: limits)
        // What cannot be a whole message is refused before a key is asked for.
        let layout: FrameLayout?
        switch header.contentType {
        case .framed: layout = try message.withUnsafeBytes { try FrameLayout.locate(header, in: $0) }
        case .unframed:
            _ = try unframedParts(header, message[header.byteCount...], limits)
            layout = nil
        }
        let opener = try await MessageOpener(
            header: header, provider: provider, expecting: expectation, policy: limits.policy, backend: backend)
        defer { opener.wipe() }
        let body = message[header.byteCount...]
        guard let layout else { return (try opener.openUnframed(body, limits: limits), header) }
        try opener.verifySignature(body[..<layout.footerOffset], footer: body[layout.footerOffset...])
        let frames = 0..<layout.frameCount
        return (try opener.open(frames, of: layout, body[..<layout.footerOffset]), header)
    }

    /// The content of an unframed message. `body` is all that follows the header, footer included.
    ///
    /// Throws `tooLarge` over the limits' bound, `authentication`; then nothing was released.
    package func openUnframed(_ body: ArraySlice<UInt8>, limits: MessageLimits = .standard) throws -> [UInt8] {
        precondition(header.contentType == .unframed, "A framed message is opened by its frames.")
        let (content, footer) = try Self.unframedParts(header, body, limits)
        try verifySignature(content, footer: footer)
        return try [UInt8](unsafeUninitializedCapacity: content.count - UnframedBody.overheadBytes) { buffer, initialized in
            let output = UnsafeMutableRawBufferPointer(
                rebasing: UnsafeMutableRawBufferPointer(buffer)[..<(content.count - UnframedBody.overheadBytes)])
            try content.withUnsafeBytes { try codec.openUnframed($0, into: output) }
            initialized = output.count
        }
    }

    /// How much follows the header of an unframed message up to its footer, from the first
    /// ``unframedPrefixBytes`` of it: what a reader of a pipe must read and hold. Throws `tooLarge`, `authentication`.
    package static func unframedBodyBytes(
        prefix: UnsafeRawBufferPointer, limits: MessageLimits = .standard
    ) throws(EnvelopeError) -> Int {
        let bytes = try UnframedBody.contentBytes(prefix)
        try UnframedBody.checkBound(bytes, limits)
        return bytes + UnframedBody.overheadBytes
    }

    package static let unframedPrefixBytes = UnframedBody.prefixBytes

    /// A length that contradicts what is there is a forgery; one that does not, and is over the bound, is told.
    private static func unframedParts(
        _ header: MessageHeader, _ body: ArraySlice<UInt8>, _ limits: MessageLimits
    ) throws -> (content: ArraySlice<UInt8>, footer: ArraySlice<UInt8>) {
        let bytes = try body.withUnsafeBytes { body throws(EnvelopeError) in try UnframedBody.contentBytes(body) }
        let footerBytes = body.count - UnframedBody.overheadBytes - bytes
        guard (0...FrameLayout.maximumFooterBytes(header.suite)).contains(footerBytes) else {
            throw EnvelopeError.authentication
        }
        try UnframedBody.checkBound(bytes, limits)
        let end = body.startIndex + UnframedBody.overheadBytes + bytes
        return (body[..<end], body[end...])
    }

    /// Throws `authentication` unless `footer` is what the suite asks for behind `body`: this message's signature, or nothing.
    private func verifySignature(_ body: ArraySlice<UInt8>, footer: ArraySlice<UInt8>) throws {
        guard let signature else {
            guard footer.isEmpty else { throw EnvelopeError.authentication }
            return
        }
        body.withUnsafeBytes { signature.update($0) }
        try footer.withUnsafeBytes { try signature.verify(footer: $0) }
    }
}
