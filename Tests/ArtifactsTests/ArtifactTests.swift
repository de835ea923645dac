import AWSProtocol
import Artifacts
import ArtifactsTesting
import Envelope
import Foundation
import ObjectStore
import Secrets
import Testing

@Suite struct ArtifactTests {
    private static let frame = 64

    private func write(
        _ store: any ObjectStore, _ kms: FakeKMS, chunks: [[UInt8]], scope owner: ArtifactScope? = nil,
        attempt: ArtifactAttempt = attempt
    ) async throws -> (ManifestReference, [ChunkPin]) {
        let access = try access(kms, owner)
        let writer = ArtifactWriter(store: store, access: access, attempt: attempt, frameBytes: Self.frame)
        var pins: [ChunkPin] = []
        for (ordinal, bytes) in chunks.enumerated() {
            let chunk = try await writer.chunk(kind: .observations, ordinal: ordinal)
            // In uneven pieces, as they come.
            for start in stride(from: 0, to: bytes.count, by: 37) {
                try await chunk.append(Array(bytes[start..<min(start + 37, bytes.count)]))
            }
            pins.append(try await chunk.finish())
        }
        let manifest = Manifest(scope: access.scope, chunks: pins, sections: ["schema": ["a", "b"], "counts": ["rows": 7]])
        return (try await writer.writeManifest(manifest, generation: 1), pins)
    }

    @Test func artifactComesBackByManifestAndByRange() async throws {
        try await withStore { store, _ in
            let kms = FakeKMS()
            let contents = [0, 1, Self.frame, 5 * Self.frame, 5 * Self.frame + 1].map { pattern($0, seed: UInt64($0 + 1)) }
            let (reference, _) = try await write(store, kms, chunks: contents)
            let reader = try await ArtifactReader.open(reference, store: store, access: try access(kms))
            #expect(reader.manifest.sections["counts"]?["rows"]?.intValue == 7)
            for (index, expected) in contents.enumerated() {
                let chunk = try await reader.chunk(index)
                #expect(try await chunk.read(0..<expected.count) == expected)
                var all: [UInt8] = []
                try await chunk.readAll(batchBytes: 100) { all += $0 }
                #expect(all == expected)
                if expected.count > 200 {
                    #expect(try await chunk.read(63..<130) == Array(expected[63..<130]))
                    #expect(try await chunk.read(expected.count - 1..<expected.count) == [expected.last!])
                }
                await #expect(throws: ArtifactError.self) { try await chunk.read(0..<expected.count + 1) }
            }
        }
    }

    @Test func longChunkIsSealedInBatches() async throws {
        try await withStore { store, _ in
            let kms = FakeKMS()
            let access = try access(kms)
            let writer = ArtifactWriter(store: store, access: access, attempt: attempt)
            for size in [ArtifactFormat.batchBytes - 1, ArtifactFormat.batchBytes, 2 * ArtifactFormat.batchBytes + 5] {
                let content = pattern(size)
                let chunk = try await writer.chunk(kind: .observations, ordinal: size)
                try await chunk.append(content)
                let pin = try await chunk.finish()
                #expect(pin.plaintextBytes == size)
                #expect(pin.frames == (size + 65535) / 65536)
                let reader = try await ArtifactReader.chunk(pin, store: store, access: access)
                #expect(try await reader.read(0..<size) == content)
            }
        }
    }

    @Test func contextsAndNamesAreTheDocumentedOnes() async throws {
        try await withStore { store, _ in
            let kms = FakeKMS()
            let (reference, pins) = try await write(store, kms, chunks: [[1]])
            let pin = try #require(pins.first)
            #expect(
                pin.context == [
                    "forecastle:account": "123456789012",
                    "forecastle:resource": "arn:aws:forecast:us-west-2:123456789012:dataset/sales",
                    "forecastle:incarnation": "7d9c0a52-93a5-4c9b-8a0e-6f1e0f2f8f11",
                    "forecastle:kind": "observations", "forecastle:job": "job-1", "forecastle:task": "task-1",
                    "forecastle:ordinal": "0",
                ])
            let folder = "artifacts/sales/7d9c0a52-93a5-4c9b-8a0e-6f1e0f2f8f11/task-1/3/"
            #expect(pin.objectName == folder + "0")
            #expect(reference.objectName == folder + "manifest")
            let manifest = try MessageHeader.parse(whole: try await store.get(try ObjectKey(reference.objectName))[...])
            #expect(manifest.context[ArtifactContextKey.kind] == "manifest")
            #expect(manifest.context[ArtifactContextKey.ordinal] == nil)
            #expect(manifest.encryptedDataKeys.first?.kmsKeyARN == keyARN)
        }
    }

    @Test func aSecondAttemptAtANameChangesNothing() async throws {
        try await withStore { store, _ in
            let kms = FakeKMS()
            let access = try access(kms)
            let writer = ArtifactWriter(store: store, access: access, attempt: attempt, frameBytes: Self.frame)
            let first = try await writer.chunk(kind: .observations, ordinal: 0)
            let second = try await writer.chunk(kind: .observations, ordinal: 0)
            try await first.append([1])
            try await second.append([1])
            let pin = try await first.finish()
            await #expect { try await second.finish() } throws: { ($0 as? ArtifactError)?.code == .conflict }
            #expect(try await ArtifactReader.chunk(pin, store: store, access: access).read(0..<1) == [1])
        }
    }

    @Test func abortedChunkLeavesNothing() async throws {
        try await withStore { store, folder in
            let chunk = try await ArtifactWriter(store: store, access: try access(FakeKMS()), attempt: attempt)
                .chunk(kind: .observations, ordinal: 0)
            try await chunk.append(pattern(100))
            await chunk.abort()
            #expect(try await store.list(prefix: try ObjectPrefix("artifacts/")).isEmpty)
        }
    }

    /// Case 52: genuine messages in the wrong place are turned away before KMS is asked for anything.
    @Test func genuineMessagesInTheWrongPlaceAreRefusedBeforeAnyCall() async throws {
        try await withStore { store, folder in
            let kms = FakeKMS()
            let (reference, pins) = try await write(store, kms, chunks: [pattern(200), pattern(200, seed: 9)])
            let older = ArtifactAttempt(job: "job-1", task: "task-1", fence: 2)
            let (oldReference, oldPins) = try await write(store, kms, chunks: [pattern(200)], attempt: older)
            let (foreignReference, foreignPins) = try await write(
                store, kms, chunks: [pattern(200)], scope: try scope("other"))
            let pin = try #require(pins.first)
            func path(_ name: String) -> URL { folder.appending(path: name) }
            let genuine = try Data(contentsOf: path(pin.objectName))
            for other in [pins[1], oldPins[0], foreignPins[0]] {
                try FileManager.default.removeItem(at: path(pin.objectName))
                try FileManager.default.copyItem(at: path(other.objectName), to: path(pin.objectName))
                kms.forgetCalls()
                await #expect(throws: EnvelopeError.authentication) {
                    try await ArtifactReader.chunk(pin, store: store, access: try access(kms))
                }
                #expect(kms.calls.isEmpty)
            }
            try genuine.write(to: path(pin.objectName))
            let manifestPath = path(reference.objectName)
            for other in [oldReference, foreignReference] {
                try FileManager.default.removeItem(at: manifestPath)
                try FileManager.default.copyItem(at: path(other.objectName), to: manifestPath)
                kms.forgetCalls()
                await #expect(throws: EnvelopeError.authentication) {
                    try await ArtifactReader.open(reference, store: store, access: try access(kms))
                }
                #expect(kms.calls.isEmpty)
            }
            // Another artifact's manifest under its own reference, asked for as ours; a pin of it; another key.
            kms.forgetCalls()
            await #expect(throws: EnvelopeError.authentication) {
                try await ArtifactReader.open(foreignReference, store: store, access: try access(kms))
            }
            await #expect(throws: EnvelopeError.authentication) {
                try await ArtifactReader.chunk(foreignPins[0], store: store, access: try access(kms))
            }
            await #expect(throws: EnvelopeError.authentication) {
                try await ArtifactReader.chunk(pin, store: store, access: try access(kms, keyARN: keyARN + "0"))
            }
            #expect(kms.calls.isEmpty)
        }
    }

    @Test func alteredAndShortenedChunksAreRefused() async throws {
        try await withStore { store, folder in
            let kms = FakeKMS()
            let (_, pins) = try await write(store, kms, chunks: [pattern(300)])
            let pin = try #require(pins.first)
            let path = folder.appending(path: pin.objectName)
            let genuine = try Data(contentsOf: path)
            for offset in [0, 40, pin.headerBytes - 1, pin.headerBytes, pin.headerBytes + 20, genuine.count - 1] {
                var altered = genuine
                altered[offset] ^= 1
                try altered.write(to: path)
                await #expect(throws: EnvelopeError.authentication) {
                    let chunk = try await ArtifactReader.chunk(pin, store: store, access: try access(kms))
                    _ = try await chunk.read(0..<300)
                }
            }
            try genuine.dropLast(1).write(to: path)
            await #expect(throws: EnvelopeError.authentication) {
                let chunk = try await ArtifactReader.chunk(pin, store: store, access: try access(kms))
                _ = try await chunk.read(0..<300)
            }
            try FileManager.default.removeItem(at: path)
            await #expect { try await ArtifactReader.chunk(pin, store: store, access: try access(kms)) } throws: {
                ($0 as? ArtifactError)?.code == .missing
            }
        }
    }

    @Test func refusalOfKMSReachesTheCaller() async throws {
        try await withStore { store, _ in
            let kms = FakeKMS()
            let (reference, _) = try await write(store, kms, chunks: [[1]])
            kms.fail(FakeKMS.revoked)
            await #expect { try await ArtifactReader.open(reference, store: store, access: try access(kms)) } throws: {
                guard let lost = $0 as? KeyLeaseLost, case .denied(let text) = lost.reason else { return false }
                return text.hasPrefix("AccessDeniedException") && !lost.isRetriable
            }
        }
    }

    @Test func pinsSurviveTheirRow() async throws {
        try await withStore { store, _ in
            let (_, pins) = try await write(store, FakeKMS(), chunks: [pattern(70), []])
            for pin in pins {
                #expect(try ChunkPin(json: try JSONValue.parse(pin.json.serialized())) == pin)
                var object = try #require(pin.json.objectValue)
                object["plaintextBytes"] = .int(71)
                #expect(throws: ArtifactError.self) { try ChunkPin(json: .object(object)) }
                object["plaintextBytes"] = nil
                #expect(throws: ArtifactError.self) { try ChunkPin(json: .object(object)) }
            }
        }
    }

    @Test func dataKeysAreWipedOnceMessagesHaveTheirOwn() async throws {
        try await withStore { store, _ in
            let kms = FakeKMS()
            let (reference, _) = try await write(store, kms, chunks: [[1], [2]])
            _ = try await ArtifactReader.open(reference, store: store, access: try access(kms)).chunk(0)
            #expect(!kms.issued.isEmpty && kms.issued.filter { !$0.isWiped }.isEmpty)
        }
    }

    @Test func scopeMustFitAGrantsConstraint() throws {
        let fits = String(repeating: "x", count: 384)
        _ = try ArtifactScope(account: "1", resource: fits, incarnation: "i")
        #expect(throws: ArtifactError.self) { try ArtifactScope(account: "1", resource: fits + "x", incarnation: "i") }
        #expect(throws: ArtifactError.self) { try ArtifactScope(account: "", resource: "r", incarnation: "i") }
        #expect(ArtifactKind(rawValue: "forecast-part") != nil)
        for wrong in ["", "Forecast", "a b", "é"] { #expect(ArtifactKind(rawValue: wrong) == nil) }
    }
}
