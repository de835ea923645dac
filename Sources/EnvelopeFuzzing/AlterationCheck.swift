import Envelope

/// Seals a message as the input says, then alters it as the input says: what differs from the message by as little as a bit
/// must not open, and what had left a pipe until then is the beginning of the plaintext.
enum AlterationCheck {
    private static let maximumPlaintextBytes = 1024
    private static let maximumAlterations = 8

    static func run(_ input: ArraySlice<UInt8>) async throws {
        var reader = FuzzReader(input)
        let frameBytes = 1 + reader.number(below: 100)
        let size = reader.number(below: maximumPlaintextBytes)
        var context: EncryptionContext = [:]
        for number in 0..<reader.byte() % 4 { context["name \(number)"] = String(repeating: "v", count: Int(reader.byte())) }
        let signed = reader.byte() % 2 == 1
        let plaintext = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
        let opening = MessageOpening(provider: try FuzzKey.keyring(), backend: BoringSSLBackend())
        let message = try await MessageSealer.sealMessage(
            plaintext, provider: opening.provider, context: context, suite: signed ? .committedAndSigned : .committed,
            frameBytes: frameBytes)
        let altered = alter(message, &reader)
        let expected = altered == message ? MessageOpening.Outcome.opened(plaintext) : nil
        try check(try await opening.inMemory(altered), expected)
        let filed = try await opening.attempt(altered, .file)
        try check(filed.outcome, expected)
        let piped = try await opening.attempt(altered, .pipe)
        try check(piped.outcome, expected)
        guard plaintext.starts(with: piped.released) else { throw FuzzFinding("a pipe released what was never sealed") }
        guard !signed || expected != nil || piped.released.isEmpty else {
            throw FuzzFinding("a pipe released bytes of a signed message that is altered")
        }
    }

    private static func check(_ outcome: MessageOpening.Outcome, _ expected: MessageOpening.Outcome?) throws {
        if let expected {
            guard outcome == expected else { throw FuzzFinding("a genuine message ends in \(outcome)") }
        } else if case .opened = outcome {
            throw FuzzFinding("an altered message opens")
        }
    }

    private static func alter(_ message: [UInt8], _ reader: inout FuzzReader) -> [UInt8] {
        var bytes = message
        for _ in 0..<maximumAlterations where !reader.isEmpty {
            let kind = reader.byte() % 6
            let start = reader.number(below: bytes.count)
            let end = start + reader.number(below: bytes.count - start + 1)
            switch kind {
            case 0 where !bytes.isEmpty: bytes[start] ^= reader.byte()
            case 1: bytes.insert(reader.byte(), at: start)
            case 2: bytes.removeSubrange(start..<end)
            case 3: bytes.insert(contentsOf: Array(bytes[start..<end]), at: end)
            case 4: bytes.removeSubrange(start...)
            case 5: bytes = Array(bytes[..<start] + bytes[end...] + bytes[start..<end])
            default: break
            }
        }
        return bytes
    }
}
