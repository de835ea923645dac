import Envelope

/// What the parser promises about any bytes.
enum HeaderCheck {
    static func run(_ input: ArraySlice<UInt8>, _ limits: MessageLimits) throws {
        switch try outcome(input, limits) {
        case .refused: break
        case .needs(let total):
            guard total > input.count, total <= limits.maximumHeaderBytes else {
                throw FuzzFinding("\(total) bytes are asked for where \(input.count) are there")
            }
        case .header(let header):
            try check(header, input, limits)
        }
    }

    private static func check(_ header: MessageHeader, _ input: ArraySlice<UInt8>, _ limits: MessageLimits) throws {
        guard header.byteCount <= input.count, header.byteCount <= limits.maximumHeaderBytes,
            header.serialized.elementsEqual(input.prefix(header.byteCount))
        else { throw FuzzFinding("a header is not the bytes that it was read from") }
        guard header.encryptedDataKeys.count <= limits.maximumDataKeys, header.frameBytes <= limits.maximumFrameBytes else {
            throw FuzzFinding("a header exceeds the bounds that it was read within")
        }
        guard case .header(let again) = try outcome(header.serialized[...], limits), again == header else {
            throw FuzzFinding("a header alone is not read as it was before its body")
        }
        // A pipe brings it in pieces: each asks for more, never for more than there is.
        var known = 0
        while known < header.byteCount {
            guard case .needs(let total) = try outcome(input.prefix(known), limits), total > known, total <= header.byteCount
            else { throw FuzzFinding("the first \(known) bytes of a header are not taken for its beginning") }
            known = total
        }
    }

    private enum Outcome { case header(MessageHeader), needs(Int), refused }

    private static func outcome(_ bytes: ArraySlice<UInt8>, _ limits: MessageLimits) throws -> Outcome {
        do {
            switch try MessageHeader.parse(bytes, limits: limits) {
            case .header(let header): return .header(header)
            case .needs(let total): return .needs(total)
            }
        } catch {
            guard error.code == .authentication || error.code == .suiteRefused else {
                throw FuzzFinding("a header is refused as \(error)")
            }
            return .refused
        }
    }
}
