import Envelope
import Foundation
import Secrets

/// A keyring under a key of repeated bytes.
func keyring(_ byte: UInt8 = 0x2A, namespace: String = "tests", name: String = "key") throws -> RawAESKeyring {
    let key = SharedSecret(SecretBytes(count: 32) { $0.initializeMemory(as: UInt8.self, repeating: byte) })
    return try RawAESKeyring(namespace: namespace, name: name, wrappingKey: key)
}

/// Bytes that differ from position to position, so that misplaced frames show.
func pattern(_ count: Int, seed: UInt64 = 1) -> [UInt8] {
    var state = seed
    return (0..<count).map { _ in
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return UInt8(truncatingIfNeeded: state >> 56)
    }
}

/// The error that opening a message gives, or `nil` when it opened.
func openingError(
    _ message: [UInt8], _ provider: any DataKeyProvider, expecting: MessageExpectation = .init()
) async -> EnvelopeError? {
    do {
        _ = try await MessageOpener.openMessage(message, provider: provider, expecting: expecting)
        return nil
    } catch {
        return error as? EnvelopeError
    }
}

/// A folder that is removed at the end.
func withTemporaryFolder<R>(_ body: (URL) async throws -> R) async throws -> R {
    let folder = FileManager.default.temporaryDirectory.appending(path: "envelope-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    return try await body(folder)
}
