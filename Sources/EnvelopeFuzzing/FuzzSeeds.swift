import Envelope

/// Inputs to start from: each kind of message that the formats know, small.
package enum FuzzSeeds {
    /// `official`: messages of the official SDKs under ``FuzzKey``.
    package static func all(official: [(name: String, message: [UInt8])]) async throws -> [(name: String, input: [UInt8])] {
        var seeds: [(String, [UInt8])] = []
        for (name, message) in try await messages(provider: try FuzzKey.keyring(), backend: BoringSSLBackend()) + official {
            seeds.append(("sealed-\(name)", input(.sealed, message)))
            seeds.append(("header-\(name)", input(.header, message)))
        }
        for (name, message) in try await messages(provider: CredulousProvider(), backend: TransparentBackend()) {
            seeds.append(("believed-\(name)", input(.believed, message)))
            seeds.append(("inspected-\(name)", input(.inspected, message)))
            seeds.append(("believed-unframed-\(name)", input(.believed, try unframed(message))))
        }
        // Those that commit to a key commit to the true one: only the others are believed.
        for (name, message) in official where message[0] == 1 { seeds.append(("believed-\(name)", input(.believed, message))) }
        for (number, parameters) in alterations.enumerated() {
            seeds.append(("altered-\(number)", [MessageFuzzer.Kind.altered.rawValue] + parameters))
        }
        return seeds
    }

    /// The header of a framed message, said to be of an unframed one, and a short body under the number 1.
    private static func unframed(_ message: [UInt8]) throws -> [UInt8] {
        let header = try MessageHeader.parse(whole: message[...])
        let contentType = header.byteCount - tagBytes - commitmentBytes - 4 - 1
        let (content, nonce) = ([UInt8](1...9), [UInt8](repeating: 0, count: 11) + [1])
        let footer = message.suffix(FrameLayout.footerBytes(header.suite))
        return message[..<contentType] + [1, 0, 0, 0, 0] + message[(contentType + 5)..<header.byteCount] + nonce
            + [0, 0, 0, 0, 0, 0, 0, UInt8(content.count)] + content + [UInt8](repeating: 0, count: tagBytes) + footer
    }

    private static let (tagBytes, commitmentBytes) = (16, 32)

    private static func input(_ kind: MessageFuzzer.Kind, _ message: [UInt8]) -> [UInt8] {
        let range: [UInt8] = kind == .sealed || kind == .believed ? [0, 3, 0, 30] : []
        return [kind.rawValue] + range + message
    }

    private static func messages(
        provider: any DataKeyProvider, backend: any CipherBackend
    ) async throws -> [(String, [UInt8])] {
        var messages: [(String, [UInt8])] = []
        let contexts: [(String, EncryptionContext)] = [("", [:]), ("-context", ["purpose": "fuzz", "größe": "1"])]
        for suite in [AlgorithmSuite.committed, .committedAndSigned] {
            for (label, context) in contexts {
                for (size, frame) in [(0, 16), (5, 16), (16, 16), (37, 16), (64, 16), (3, 1), (200, 64)] {
                    let message = try await MessageSealer.sealMessage(
                        (0..<size).map { UInt8($0) }, provider: provider, context: context, suite: suite, frameBytes: frame,
                        backend: backend)
                    messages.append(("\(suite)\(label)-\(size)-by-\(frame)", message))
                }
            }
        }
        return messages
    }

    /// Frame length, size, context and suite of a message, then alterations: kind, start, length, byte.
    private static let alterations: [[UInt8]] = [
        [0, 15, 0, 100, 0, 0], [0, 15, 0, 100, 2, 3, 4, 1, 0, 0, 9, 0, 1, 1], [0, 7, 0, 64, 1, 1, 0, 1, 0, 100, 0, 0, 7],
        [0, 15, 1, 0, 0, 1, 2, 0, 150, 0, 48], [0, 15, 1, 0, 0, 0, 3, 0, 150, 0, 48], [0, 0, 0, 9, 0, 1, 4, 0, 160],
        [0, 15, 1, 0, 0, 0, 5, 0, 150, 0, 48],
    ]
}
