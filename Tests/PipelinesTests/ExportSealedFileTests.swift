import AWSProtocol
import Artifacts
import ArtifactsTesting
import Crypto
import Envelope
import Foundation
import ObjectStore
import Pipelines
import PostgresTesting
import Testing

/// A sealed file of three batches, and what becomes of it in somebody's bucket.
private struct Bucket {
    static let keyARN = "arn:aws:kms:us-west-2:123456789012:key/44444444-4444-4444-4444-444444444444"
    static let frameBytes = 1 << 10

    let kms = FakeKMS()
    let access: ArtifactAccess
    let store: DirectoryObjectStore
    let key: ObjectKey
    let expectation: MessageExpectation
    let digest: [UInt8]
    let frames: FrameLayout
    private let folder: URL

    static func with(_ body: (Bucket) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "sealed-\(UUID())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try await body(try await Bucket(folder))
    }

    private init(_ folder: URL) async throws {
        self.folder = folder
        store = try DirectoryObjectStore(root: folder.path, options: .bucket)
        key = try ObjectKey("out/part0.csv.encrypted")
        let scope = try ArtifactScope(account: "123456789012", resource: "arn:export", incarnation: "i")
        access = ArtifactAccess(
            scope: scope, keyARN: Self.keyARN, kms: kms,
            keeper: KeyLeaseKeeper(timing: KeyLeaseTiming(interval: .seconds(600)), logger: TestDatabase.logger))
        let attempt = ArtifactAttempt(job: "j", task: "t", fence: 1)
        let plaintext = (0..<(2 * ArtifactFormat.batchBytes + 1000)).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        digest = Array(SHA256.hash(data: plaintext))
        let chunk = try await ArtifactWriter(store: store, access: access, attempt: attempt, frameBytes: Self.frameBytes)
            .chunk(kind: .export, ordinal: 0, objectName: key.name)
        try await chunk.append(plaintext)
        let pin = try await chunk.finish()
        frames = try pin.layout()
        expectation = MessageExpectation(
            suite: .committed, context: scope.context(kind: .export, attempt: attempt, ordinal: 0), kmsKeyARN: Self.keyARN)
        kms.forgetCalls()
    }

    var file: SealedFile { SealedFile(store: store, key: key, access: access) }

    func change(_ body: (inout Data) -> Void) throws {
        let url = folder.appending(path: key.name)
        var data = try Data(contentsOf: url)
        body(&data)
        try data.write(to: url)
    }
}

@Test func sealedFileIsComparedByItsPlaintextInBatches() async throws {
    try await Bucket.with { (bucket: Bucket) async throws in
        #expect(try await bucket.file.holds(sha256: bucket.digest, bucket.expectation))
        #expect(try await !bucket.file.holds(sha256: [UInt8](repeating: 0, count: 32), bucket.expectation))
    }
}

@Test func alteredOrShortenedFileIsNotOurs() async throws {
    try await Bucket.with { (bucket: Bucket) async throws in
        try bucket.change { $0[$0.count - 1] ^= 1 }
        #expect(try await !bucket.file.holds(sha256: bucket.digest, bucket.expectation))
    }
    try await Bucket.with { (bucket: Bucket) async throws in
        // At the end of a frame: every frame that is left is genuine.
        try bucket.change { $0 = $0.prefix(bucket.frames.offset(ofFrame: 5)) }
        #expect(try await !bucket.file.holds(sha256: bucket.digest, bucket.expectation))
    }
}

@Test func foreignFileAsksNoKey() async throws {
    try await Bucket.with { (bucket: Bucket) async throws in
        var other = bucket.expectation
        other.context?[ArtifactContextKey.ordinal] = "1"
        #expect(try await !bucket.file.claims(other))
        #expect(try await !bucket.file.opens(other))
        #expect(try await !bucket.file.holds(sha256: bucket.digest, other))
        try bucket.change { $0 = Data("item_id,date\n".utf8) }
        #expect(try await !bucket.file.claims(bucket.expectation))
        try bucket.change { $0 = Data() }
        #expect(try await !bucket.file.opens(bucket.expectation))
        #expect(bucket.kms.calls.isEmpty)
    }
}

@Test func refusalOfTheKeyIsNoAnswerAboutTheFile() async throws {
    try await Bucket.with { (bucket: Bucket) async throws in
        #expect(try await bucket.file.opens(bucket.expectation))
        bucket.kms.fail(FakeKMS.revoked)
        #expect(try await bucket.file.claims(bucket.expectation))
        await #expect(throws: (any Error).self) { try await bucket.file.opens(bucket.expectation) }
        await #expect(throws: (any Error).self) { try await bucket.file.holds(sha256: bucket.digest, bucket.expectation) }
    }
}
