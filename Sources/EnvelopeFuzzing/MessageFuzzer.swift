package import Envelope
import Secrets

/// Runs one input through everything that reads messages, and throws a ``FuzzFinding`` where a promise does not hold.
///
/// The input's first byte says how the rest is meant (``Kind``). All ways of opening must agree with each other, every
/// refusal must be one of the two that a reader may see, and nothing altered may open.
package enum MessageFuzzer {
    package enum Kind: UInt8, CaseIterable, Sendable {
        /// Header alone: parsed, made again, cut.
        case header
        /// Range (2 × 2 bytes), then a message, opened with the key of the corpus.
        case sealed
        /// As ``sealed``, with ciphers that believe everything: reaches what lies behind the tags.
        case believed
        /// Looked at without any key.
        case inspected
        /// Parameters of a message that is sealed here, then alterations of it.
        case altered
    }

    /// Ends in a finding for what is longer: the fuzzer is told the same bound.
    package static let maximumInputBytes = 1 << 16

    package static func run(_ input: [UInt8]) async throws {
        guard let first = input.first else { return }
        let rest = input.dropFirst()
        switch Kind(rawValue: first % UInt8(Kind.allCases.count)) {
        case .header: try HeaderCheck.run(rest)
        case .sealed: try await OpeningCheck.run(rest, provider: FuzzKey.keyring(), backend: BoringSSLBackend())
        case .believed: try await OpeningCheck.run(rest, provider: CredulousProvider(), backend: TransparentBackend())
        case .inspected: try await InspectionCheck.run(rest)
        case .altered: try await AlterationCheck.run(rest)
        case nil: break
        }
    }
}

/// The wrapping key of the corpus, which is no secret.
package enum FuzzKey {
    package static func keyring(_ byte: UInt8 = 0x2A) throws -> RawAESKeyring {
        let key = SharedSecret(SecretBytes(count: 32) { $0.initializeMemory(as: UInt8.self, repeating: byte) })
        return try RawAESKeyring(namespace: "fuzz", name: "key", wrappingKey: key)
    }
}
