import Envelope
import EnvelopeFuzzing
import Foundation
import Testing

/// Genuine messages of every kind that is read, to be altered: those of the official SDK in `Tests/Corpus/Official` (see
/// `Tests/Clients/official_messages.py`), and ones sealed here. All have the wrapping key `FuzzKey`.
struct Sample: Sendable, CustomTestStringConvertible {
    let name: String
    let message: [UInt8]
    let plaintext: [UInt8]

    var testDescription: String { name }
    var isFramed: Bool { !name.contains("unframed") }
    var isSigned: Bool { ["0214", "0346", "0378", "0578"].contains { name.hasPrefix($0) } }
    var isCommitted: Bool { name.hasPrefix("0478") || name.hasPrefix("0578") }
    /// The policy that reads it.
    var policy: MessagePolicy { isCommitted ? .requireCommitment : .allowUncommitted }
    var fields: MessageFields { MessageFields(message) }

    /// Three frames, the last of them short; or one body.
    static let official: [Sample] = {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "Corpus/Official")
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        return names.sorted().map { name in
            let message = (try? Data(contentsOf: folder.appending(path: name))) ?? Data()
            return Sample(name: name, message: [UInt8](message), plaintext: (0..<300).map { UInt8($0 % 251) })
        }
    }()

    static let framed = official.filter(\.isFramed)

    /// A message of ours, in frames of 16 bytes.
    static func sealed(
        _ suite: AlgorithmSuite, size: Int = 150, backend: any CipherBackend = BoringSSLBackend(), seed: UInt64 = 1
    ) async throws -> Sample {
        let plaintext = pattern(size, seed: seed)
        let message = try await MessageSealer.sealMessage(
            plaintext, provider: try FuzzKey.keyring(), context: ["purpose": "test"], suite: suite, frameBytes: 16,
            backend: backend)
        return Sample(name: "\(suite)-sealed", message: message, plaintext: plaintext)
    }

    static let committedSuites = [AlgorithmSuite.committed, .committedAndSigned]
}
