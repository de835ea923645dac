import Envelope
import ObjectStore
import Secrets
import Telemetry

/// One chunk in the making: plaintext goes in, sealed frames go to the store in batches. Memory is bounded by the batch.
/// Use it from one task at a time.
package actor ChunkWriter {
    private let access: ArtifactAccess
    private let key: ObjectKey
    private let context: EncryptionContext
    private let sealer: MessageSealer
    private let writer: any ObjectWriter
    private let batchBytes: Int

    /// Plaintext that waits. Kept until more comes or the chunk ends: only the end knows which frame is the final one.
    private var pending: [UInt8] = []
    private var nextFrame = 0
    private var ended = false

    /// Plaintext so far.
    package private(set) var plaintextBytes = 0

    /// Whether the chunk has its intended length.
    package var isFull: Bool { plaintextBytes >= ArtifactFormat.chunkBytes }

    init(
        store: any ObjectStore, key: ObjectKey, context: EncryptionContext, access: ArtifactAccess, frameBytes: Int
    ) async throws {
        try access.lease.check()
        self.access = access
        self.key = key
        self.context = context
        batchBytes = max(1, ArtifactFormat.batchBytes / frameBytes) * frameBytes
        sealer = try await MessageSealer(provider: access.provider, context: context, frameBytes: frameBytes)
        try access.lease.register(sealer)
        writer = try await store.writer(key)
        try await writer.append(sealer.header.serialized)
    }

    /// Adds plaintext. Throws `KeyLeaseLost` when the key was withdrawn meanwhile.
    package func append(_ bytes: [UInt8]) async throws {
        precondition(!ended, "A chunk that has ended takes no more bytes.")
        plaintextBytes += bytes.count
        var rest = bytes[...]
        while !rest.isEmpty {
            if pending.count == batchBytes { try await flush(isFinal: false) }
            pending.reserveCapacity(batchBytes)
            let part = rest.prefix(batchBytes - pending.count)
            pending += part
            rest = rest.dropFirst(part.count)
        }
    }

    /// Seals the rest and publishes the object. The answer goes into the manifest.
    ///
    /// Throws `conflict` where the name is taken: this attempt's other self, or another with its fence, was there.
    package func finish() async throws -> ChunkPin {
        precondition(!ended, "A chunk ends once.")
        ended = true
        do {
            try await flush(isFinal: true)
            sealer.wipe()
            try access.lease.check()
            let object = try await publish()
            let header = sealer.header
            let layout = try FrameLayout(
                headerBytes: header.byteCount, frameBytes: header.frameBytes, plaintextBytes: plaintextBytes)
            precondition(object.length == layout.messageBytes, "internal: an object has another length than was written")
            return ChunkPin(
                objectName: key.name, context: context, keyARN: access.keyARN, frameBytes: header.frameBytes,
                headerBytes: header.byteCount, headerDigest: header.digest, messageBytes: layout.messageBytes,
                plaintextBytes: plaintextBytes, frames: layout.frameCount, sha256: object.sha256)
        } catch {
            await discard()
            throw error
        }
    }

    /// Gives up; nothing is left in the store. Harmless after the end.
    package func abort() async {
        guard !ended else { return }
        ended = true
        await discard()
    }

    private func discard() async {
        sealer.wipe()
        wipe(&pending)
        await writer.abort()
    }

    private func publish() async throws -> PublishedObject {
        do {
            return try await writer.publish()
        } catch let error as ObjectStoreError where error.code == .alreadyExists {
            // Every sealing has a data key of its own, so other content is all that can be there.
            throw ArtifactError.conflict(key.description)
        }
    }

    private func flush(isFinal: Bool) async throws {
        try access.lease.check()
        let room = sealer.sealedBytesBound(forPlaintext: pending.count)
        let first = nextFrame
        let sealed = try [UInt8](unsafeUninitializedCapacity: room) { buffer, initialized in
            let output = UnsafeMutableRawBufferPointer(buffer)
            initialized = try pending.withUnsafeBytes {
                try sealer.sealFrames(from: first, $0, isFinal: isFinal, into: output)
            }
        }
        access.lease.sealed(bytes: pending.count)
        nextFrame += pending.count / sealer.frameBytes
        pending.withUnsafeMutableBytes { wipe($0) }
        pending.removeAll(keepingCapacity: !isFinal)
        try await writer.append(sealed)
    }
}
