import Envelope
import ObjectStore
import Secrets
import Telemetry

/// A chunk that a manifest pins, opened: ranges of its plaintext, each from just the frames that hold it.
package final class ChunkReader: Sendable {
    package let pin: ChunkPin
    private let store: any ObjectStore
    private let key: ObjectKey
    private let access: ArtifactAccess
    private let opener: MessageOpener
    private let layout: FrameLayout

    package var plaintextBytes: Int { pin.plaintextBytes }

    /// Compares what the manifest says with the object's header, and only then asks KMS for the data key.
    init(pin: ChunkPin, store: any ObjectStore, access: ArtifactAccess) async throws {
        try access.lease.check()
        guard pin.keyARN.utf8.elementsEqual(access.keyARN.utf8), access.scope.owns(pin.context) else {
            throw EnvelopeError.authentication
        }
        layout = try pin.layout()
        key = try pin.key()
        let bytes = try await Self.get(0..<pin.headerBytes, of: key, in: store)
        let header = try MessageHeader.parse(whole: bytes[...])
        guard header.byteCount == pin.headerBytes else { throw EnvelopeError.authentication }
        opener = try await MessageOpener(header: header, provider: access.provider, expecting: pin.expectation)
        try access.lease.register(opener)
        self.pin = pin
        self.store = store
        self.access = access
    }

    deinit { opener.wipe() }

    /// The bytes of `range`, at most ``maximumRangeBytes``. Throws `EnvelopeError.authentication` where the object is
    /// not the pinned one, `KeyLeaseLost` when the key was withdrawn.
    package func read(_ range: Range<Int>) async throws -> [UInt8] {
        guard range.lowerBound >= 0, range.upperBound <= plaintextBytes else {
            throw ArtifactError.invalidInput("The range lies outside the chunk.")
        }
        guard range.count <= Self.maximumRangeBytes else {
            throw ArtifactError.tooLarge("A range has at most \(Self.maximumRangeBytes) bytes.")
        }
        guard !range.isEmpty else { return [] }
        try access.lease.check()
        let frames = layout.frames(ofPlaintext: range)
        let body = try await Self.get(layout.messageRange(ofFrames: frames), of: key, in: store)
        try access.lease.check()
        let plaintext = try opener.openRange(range, of: layout, body: body[...])
        access.lease.opened(bytes: plaintext.count)
        return plaintext
    }

    package static let maximumRangeBytes = 64 << 20

    /// Everything in order, in pieces of `batchBytes`; whole frames are read once each.
    package func readAll(
        batchBytes: Int = ArtifactFormat.batchBytes, _ body: ([UInt8]) async throws -> Void
    ) async throws {
        let step = max(1, batchBytes / pin.frameBytes) * pin.frameBytes
        var position = 0
        while position < plaintextBytes {
            let end = min(position + step, plaintextBytes)
            try await body(try await read(position..<end))
            position = end
        }
    }

    private static func get(_ range: Range<Int>, of key: ObjectKey, in store: any ObjectStore) async throws -> [UInt8] {
        do {
            return try await store.get(key, range: range)
        } catch let error as ObjectStoreError where error.code == .notFound {
            throw ArtifactError.missing(key.description)
        }
    }
}
