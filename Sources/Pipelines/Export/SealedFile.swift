package import Artifacts
import Crypto
package import Envelope
package import ObjectStore
import Secrets
import Telemetry

/// A file in the customer's bucket that should be a message of this export. No manifest pins it, so all that it says of itself is
/// compared with what the export must have written before KMS is asked for anything.
package struct SealedFile: Sendable {
    let store: any ObjectStore
    let key: ObjectKey
    let access: ArtifactAccess

    package init(store: any ObjectStore, key: ObjectKey, access: ArtifactAccess) {
        self.store = store
        self.key = key
        self.access = access
    }

    /// Whether there is a message with this header. Asks no key: a header alone is no proof of what follows.
    package func claims(_ expectation: MessageExpectation) async throws -> Bool {
        try await unlessForeign { try expectation.check(try await header()) }
    }

    /// Whether the header is genuine and its data key may be used at this moment: one Decrypt.
    package func opens(_ expectation: MessageExpectation) async throws -> Bool {
        try await unlessForeign { try await opener(expectation).wipe() }
    }

    /// Whether it is a whole message of that plaintext. Reads it through once, in batches.
    package func holds(sha256: [UInt8], _ expectation: MessageExpectation) async throws -> Bool {
        var found: [UInt8] = []
        let isOurs = try await unlessForeign { found = try await digest(expectation) }
        return isOurs && found == sha256
    }

    private func digest(_ expectation: MessageExpectation) async throws -> [UInt8] {
        guard let info = try await store.head(key) else { throw EnvelopeError.authentication }
        let opener = try await opener(expectation)
        defer { opener.wipe() }
        let layout = try FrameLayout(
            headerBytes: opener.header.byteCount, frameBytes: opener.header.frameBytes, messageBytes: info.length)
        let step = max(1, ArtifactFormat.batchBytes / layout.frameBytes)
        var hash = SHA256()
        var frame = 0
        while frame < layout.frameCount {
            try access.lease.check()
            let frames = frame..<min(frame + step, layout.frameCount)
            let body = try await store.get(key, range: layout.messageRange(ofFrames: frames))
            let start = frame * layout.frameBytes
            let bytes = frames.reduce(0) { $0 + layout.plaintextBytes(ofFrame: $1) }
            var plaintext = try opener.openRange(start..<start + bytes, of: layout, body: body[...])
            access.lease.opened(bytes: plaintext.count)
            hash.update(data: plaintext)
            Measure.count(.bytesOpened, by: plaintext.count)
            wipe(&plaintext)
            frame = frames.upperBound
        }
        return Array(hash.finalize())
    }

    private func opener(_ expectation: MessageExpectation) async throws -> MessageOpener {
        let opener = try await MessageOpener(header: try await header(), provider: access.provider, expecting: expectation)
        try access.lease.register(opener)
        return opener
    }

    private func header() async throws -> MessageHeader {
        var count = Self.firstRead
        while true {
            let bytes = try await store.get(key, range: 0..<count)
            switch try MessageHeader.parse(bytes[...]) {
            case .header(let header): return header
            case .needs(let total):
                guard bytes.count == count else { throw EnvelopeError.authentication }
                count = total
            }
        }
    }

    /// Longer than the header of any export, as a rule.
    private static let firstRead = 4096

    /// False where what is there is not the message that is meant, or no message at all.
    private func unlessForeign(_ body: () async throws -> Void) async throws -> Bool {
        do {
            try await body()
            return true
        } catch let error as EnvelopeError where !error.isRetriable {
            return false
        } catch let error as ObjectStoreError where error.code == .notFound {
            return false
        }
    }
}
