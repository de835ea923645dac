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
    private struct GCMGroup: Decodable {
        struct Test: Decodable {
            let tcId: Int
            let key, iv, aad, msg, ct, tag, result: String
        }
        let ivSize, keySize, tagSize: Int
        let tests: [Test]
    }

    /// Nonces of 12 bytes are what the format has: all others are refused, valid or not, both ways.
    @Test(arguments: everyBackend)
    func aesGCM(backend: any CipherBackend) throws {
        var (valid, refused, rejected) = (0, 0, 0)
        for group in try Wycheproof.load("aes_gcm_test.json", GCMGroup.self) {
            for test in group.tests {
                let cipher = try backend.cipher(key: Wycheproof.bytes(test.key))
                let (nonce, associated) = (Wycheproof.bytes(test.iv), Wycheproof.bytes(test.aad))
                let (message, box) = (Wycheproof.bytes(test.msg), Wycheproof.bytes(test.ct) + Wycheproof.bytes(test.tag))
                let opened = cipher.open(box, nonce: nonce, associatedData: associated)
                if group.ivSize != 96 {
                    #expect(throws: EnvelopeError.self, "test \(test.tcId)") {
                        try cipher.seal(message, nonce: nonce, associatedData: associated)
                    }
                    refused += 1
                } else {
                    let sealed = try cipher.seal(message, nonce: nonce, associatedData: associated)
                    #expect((sealed == box) == (test.result == "valid"), "test \(test.tcId)")
                }
                if group.ivSize == 96, test.result == "valid" {
                    #expect(opened.error == nil && opened.plaintext == message, "test \(test.tcId)")
                    valid += 1
                } else {
                    #expect(opened.error as? EnvelopeError == .authentication, "test \(test.tcId)")
                    #expect(opened.plaintext.allSatisfy { $0 == 0 }, "test \(test.tcId) released plaintext")
                    rejected += 1
                }
            }
        }
        #expect((valid, refused, rejected) == (116, 119, 200))
    }

    private struct HKDFGroup: Decodable {
        struct Test: Decodable {
            let tcId: Int
            let ikm, salt, info, okm, result: String
            let size: Int
        }
        let tests: [Test]
    }

    @Test(arguments: everyBackend, [HashAlgorithm.sha256, .sha512])
    func hkdf(backend: any CipherBackend, hash: HashAlgorithm) throws {
        let tests = try Wycheproof.load("hkdf_\(hash)_test.json", HKDFGroup.self).flatMap(\.tests)
        for test in tests {
            let derived = Result {
                try backend.derive(
                    hash, key: Wycheproof.bytes(test.ikm), salt: Wycheproof.bytes(test.salt),
                    info: Wycheproof.bytes(test.info), count: test.size)
            }
            if test.result == "valid" {
                #expect(try derived.get() == Wycheproof.bytes(test.okm), "test \(test.tcId)")
            } else {
                #expect(throws: EnvelopeError.self, "test \(test.tcId)") { try derived.get() }
            }
        }
        #expect(tests.count == (hash == .sha256 ? 86 : 83))
    }
}
