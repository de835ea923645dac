import Envelope
import Foundation
import Testing

/// Project Wycheproof's vectors (C2SP), read from `FORECASTLE_VECTORS` or `../shared/vectors` beside the package.
private enum Wycheproof {
    static let folder: URL = {
        if let path = ProcessInfo.processInfo.environment["FORECASTLE_VECTORS"] {
            return URL(fileURLWithPath: path).appending(path: "wycheproof")
        }
        var root = URL(fileURLWithPath: #filePath)
        for _ in 0..<3 { root.deleteLastPathComponent() }
        return root.deletingLastPathComponent().appending(path: "shared/vectors/wycheproof")
    }()

    static var isAvailable: Bool { FileManager.default.fileExists(atPath: folder.path) }

    private struct File<Group: Decodable>: Decodable { let testGroups: [Group] }

    static func load<Group: Decodable>(_ name: String, _: Group.Type) throws -> [Group] {
        try JSONDecoder().decode(File<Group>.self, from: Data(contentsOf: folder.appending(path: name))).testGroups
    }

    static func bytes(_ hex: String) -> [UInt8] {
        let digits = Array(hex.utf8)
        return stride(from: 0, to: digits.count, by: 2).map {
            UInt8(String(decoding: digits[$0..<$0 + 2], as: UTF8.self), radix: 16)!
        }
    }
}

@Suite(.enabled(if: Wycheproof.isAvailable, "no Wycheproof vectors in FORECASTLE_VECTORS or ../shared/vectors"))
struct WycheproofTests {
    private let backends: [any CipherBackend] = [BoringSSLBackend()]

    private struct GCMGroup: Decodable {
        struct Test: Decodable {
            let tcId: Int
            let key, iv, aad, msg, ct, tag, result: String
        }
        let ivSize, keySize, tagSize: Int
        let tests: [Test]
    }

    /// Keys of 32 bytes and nonces of 12 are what the format has; all others must be refused, valid or not.
    @Test func aesGCM() throws {
        var (sealed, refused, rejected) = (0, 0, 0)
        for backend in backends {
            for group in try Wycheproof.load("aes_gcm_test.json", GCMGroup.self) {
                for test in group.tests {
                    let fits = group.ivSize == 96 && group.tagSize == 128
                    let outcome = try? run(test, backend)
                    if !fits {
                        #expect(outcome == nil, "test \(test.tcId)")
                        refused += 1
                    } else if test.result == "valid" {
                        #expect(outcome?.sealed == Wycheproof.bytes(test.ct) + Wycheproof.bytes(test.tag), "test \(test.tcId)")
                        #expect(outcome?.opened == Wycheproof.bytes(test.msg), "test \(test.tcId)")
                        sealed += 1
                    } else {
                        #expect(outcome?.opened == nil, "test \(test.tcId)")
                        rejected += 1
                    }
                }
            }
        }
        #expect(sealed >= 39 && refused >= 50 && rejected >= 27)
    }

    private func run(_ test: GCMGroup.Test, _ backend: any CipherBackend) throws -> (sealed: [UInt8], opened: [UInt8]?) {
        let cipher = try Wycheproof.bytes(test.key).withUnsafeBytes { try backend.makeCipher(key: $0) }
        let (nonce, associated) = (Wycheproof.bytes(test.iv), Wycheproof.bytes(test.aad))
        let (message, box) = (Wycheproof.bytes(test.msg), Wycheproof.bytes(test.ct) + Wycheproof.bytes(test.tag))
        return try nonce.withUnsafeBytes { nonce in
            try associated.withUnsafeBytes { associated in
                var sealed = [UInt8](repeating: 0, count: message.count + 16)
                try message.withUnsafeBytes { message in
                    try sealed.withUnsafeMutableBytes {
                        try cipher.seal(message, nonce: nonce, associatedData: associated, into: $0)
                    }
                }
                var opened = [UInt8](repeating: 0, count: message.count)
                do {
                    try box.withUnsafeBytes { box in
                        try opened.withUnsafeMutableBytes {
                            try cipher.open(box, nonce: nonce, associatedData: associated, into: $0)
                        }
                    }
                } catch let error as EnvelopeError where error == .authentication {
                    #expect(opened.allSatisfy { $0 == 0 }, "test \(test.tcId) released plaintext")
                    return (sealed, nil)
                }
                return (sealed, opened)
            }
        }
    }

    private struct HKDFGroup: Decodable {
        struct Test: Decodable {
            let tcId: Int
            let ikm, salt, info, okm, result: String
            let size: Int
        }
        let tests: [Test]
    }

    @Test func hkdfSHA512() throws {
        var count = 0
        for backend in backends {
            for test in try Wycheproof.load("hkdf_sha512_test.json", HKDFGroup.self).flatMap(\.tests) {
                var output = [UInt8](repeating: 0, count: test.size)
                let derive = {
                    try Wycheproof.bytes(test.ikm).withUnsafeBytes { input in
                        try Wycheproof.bytes(test.salt).withUnsafeBytes { salt in
                            try output.withUnsafeMutableBytes { bytes in
                                try backend.deriveHKDF(
                                    .sha512, inputKey: input, salt: salt,
                                    outputs: [(Wycheproof.bytes(test.info), bytes)])
                            }
                        }
                    }
                }
                if test.result == "valid" {
                    try derive()
                    #expect(output == Wycheproof.bytes(test.okm), "test \(test.tcId)")
                } else {
                    #expect(throws: EnvelopeError.self, "test \(test.tcId)") { try derive() }
                }
                count += 1
            }
        }
        #expect(count > 50)
    }
}
