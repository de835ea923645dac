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

    /// Bit of the first byte: uncommitted messages are refused, as without an option they are.
    package static let strictBit: UInt8 = 0x80

    package static func run(_ input: [UInt8]) async throws {
        guard let first = input.first else { return }
        let rest = input.dropFirst()
        let policy = first & strictBit == 0 ? MessagePolicy.allowUncommitted : .requireCommitment
        switch Kind(rawValue: (first & ~strictBit) % UInt8(Kind.allCases.count)) {
        case .header: try HeaderCheck.run(rest, MessageLimits(policy: policy))
        case .sealed:
            let keyring = try FuzzKey.keyring()
            try await OpeningCheck.run(
                rest, ciphers.map { MessageOpening(provider: keyring, backend: $0, policy: policy) })
        case .believed:
            let opening = MessageOpening(provider: CredulousProvider(), backend: TransparentBackend(), policy: policy)
            try await OpeningCheck.run(rest, [opening])
        case .inspected: try await InspectionCheck.run(rest)
        case .altered: try await AlterationCheck.run(rest)
        case nil: break
        }
    }

    /// Both, where OpenSSL's library is there.
    private static let ciphers: [any CipherBackend] =
        if let openSSL = try? OpenSSLBackend() { [BoringSSLBackend(), openSSL] } else { [BoringSSLBackend()] }
}

/// The wrapping key of the corpus, which is no secret.
package enum FuzzKey {
    package static func keyring(_ byte: UInt8 = 0x2A) throws -> RawAESKeyring {
        let key = SharedSecret(SecretBytes(count: 32) { $0.initializeMemory(as: UInt8.self, repeating: byte) })
        return try RawAESKeyring(namespace: "fuzz", name: "key", wrappingKey: key)
    }
}
