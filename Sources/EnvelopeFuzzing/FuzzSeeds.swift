import Envelope

/// Inputs to start from: each kind of message that the formats know, small.
package enum FuzzSeeds {
    package static func all() async throws -> [(name: String, input: [UInt8])] {
        var seeds: [(String, [UInt8])] = []
        for (name, message) in try await messages(provider: try FuzzKey.keyring(), backend: BoringSSLBackend()) {
            seeds.append(("sealed-\(name)", input(.sealed, message)))
            seeds.append(("header-\(name)", input(.header, message)))
        }
        for (name, message) in try await messages(provider: CredulousProvider(), backend: TransparentBackend()) {
            seeds.append(("believed-\(name)", input(.believed, message)))
            seeds.append(("inspected-\(name)", input(.inspected, message)))
        }
        for (number, parameters) in alterations.enumerated() {
            seeds.append(("altered-\(number)", [MessageFuzzer.Kind.altered.rawValue] + parameters))
        }
        return seeds
    }

    private static func input(_ kind: MessageFuzzer.Kind, _ message: [UInt8]) -> [UInt8] {
        let range: [UInt8] = kind == .sealed || kind == .believed ? [0, 3, 0, 30] : []
        return [kind.rawValue] + range + message
    }

    private static func messages(
        provider: any DataKeyProvider, backend: any CipherBackend
    ) async throws -> [(String, [UInt8])] {
        var messages: [(String, [UInt8])] = []
        let contexts: [(String, EncryptionContext)] = [("", [:]), ("-context", ["purpose": "fuzz", "größe": "1"])]
        for (label, context) in contexts {
            for (size, frame) in [(0, 16), (5, 16), (16, 16), (37, 16), (64, 16), (3, 1), (200, 64)] {
                let message = try await MessageSealer.sealMessage(
                    (0..<size).map { UInt8($0) }, provider: provider, context: context, frameBytes: frame, backend: backend)
                messages.append(("0478\(label)-\(size)-by-\(frame)", message))
            }
        }
        return messages
    }

    /// Frame length, size and context of a message, then alterations: kind, start, length, byte.
    private static let alterations: [[UInt8]] = [
        [0, 15, 0, 100, 0], [0, 15, 0, 100, 2, 3, 4, 0, 0, 9, 0, 1, 1], [0, 7, 0, 64, 1, 1, 1, 0, 100, 0, 0, 7],
        [0, 15, 1, 0, 0, 2, 0, 150, 0, 48], [0, 15, 1, 0, 0, 3, 0, 150, 0, 48], [0, 0, 0, 9, 0, 4, 0, 160],
        [0, 15, 1, 0, 0, 5, 0, 150, 0, 48],
    ]
}
