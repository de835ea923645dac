import AWSProtocol
import Envelope
import EnvelopeKMS
import Foundation
import Glibc
import Postgres
import Verification

/// Case 38.
struct BitsFlipped: ChaosCase {
    let number = 38
    let title = "bits of sealed messages flipped"
    let injects = "every bit of the header and of each frame's edges, 10,000 random ones; bits of stored manifest and chunk"
    let expects = "one error, nothing released, no memory asked for by a lying length"
    let reach = ChaosReach.cluster
    let limit: Duration = .seconds(600)
    private static let randomFlips = 10_000
    private static let growthBytesMax = 64 << 20

    func run(_ trial: ChaosTrial) async throws {
        let load = trial.load
        let access = try await load.prepare()
        let before = ProcessMemory.peakBytes(of: getpid()) ?? 0
        var (flips, refusals) = (0, [SealedSample.Refusal: Int]())
        for suite in [AlgorithmSuite.committed, .committedAndSigned] {
            let message = try await SealedSample(suite, key: access.key, load)
            var places = message.edges.flatMap { index in (0..<8).map { (index, $0) } }
            for _ in 0..<Self.randomFlips / 2 {
                places.append((trial.random(0...message.bytes.count - 1), trial.random(0...7)))
            }
            for (index, bit) in places {
                var altered = message.bytes
                altered[index] ^= 1 << UInt8(bit)
                let refusal = try await message.refuses(altered, "bit \(bit) of byte \(index) of \(suite) flipped")
                refusals[refusal, default: 0] += 1
            }
            flips += places.count
        }
        trial.injected("\(flips) messages with one bit flipped")
        let growth = (ProcessMemory.peakBytes(of: getpid()) ?? 0) - before
        try trial.expect(growth < Self.growthBytesMax, "opening them took \(growth >> 20) MiB")
        trial.saw(
            "all refused: \(refusals[.authentication] ?? 0) not authentic, \(refusals[.kind] ?? 0) of a kind that is not opened, "
                + "\(refusals[.key] ?? 0) by KMS, for another key's id in the data key; \(growth >> 20) MiB more at the peak")
        let stored = try await StoredArtifact.make("flipped", file: "small.csv", access, trial)
        for path in [stored.manifest] + stored.chunks {
            var bytes = try StoredArtifact.read(path)
            let (index, bit) = (trial.random(0...bytes.count - 1), trial.random(0...7))
            bytes[index] ^= 1 << UInt8(bit)
            let what = path == stored.manifest ? "manifest" : "chunk"
            try await stored.expectRefused("bit \(bit) of byte \(index) of a stored \(what) flipped", path, as: bytes, trial)
        }
        try await stored.expectUsable(trial)
        try await trial.waitForSuccess()
    }
}

/// Case 39.
struct MessagesCutAndSpliced: ChaosCase {
    let number = 39
    let title = "messages cut, reordered and spliced"
    let injects =
        "truncation at every edge ± 1, frames dropped, doubled, swapped, marked final, of another message; chunks likewise"
    let expects = "refused, but for what is whole"
    let reach = ChaosReach.cluster
    let limit: Duration = .seconds(600)

    func run(_ trial: ChaosTrial) async throws {
        let load = trial.load
        let access = try await load.prepare()
        var count = 0
        for suite in [AlgorithmSuite.committed, .committedAndSigned] {
            let one = try await SealedSample(suite, key: access.key, load)
            let other = try await SealedSample(suite, key: access.key, load)
            for (what, altered) in Self.alterations(one, other) where altered != one.bytes {
                _ = try await one.refuses(altered, "\(suite): \(what)")
                count += 1
            }
            // Every length that a message may have opens: none, a frame less one, a frame, one more, some frames.
            for size in [
                0, 1, SealedSample.frameBytes - 1, SealedSample.frameBytes, SealedSample.frameBytes + 1,
                4 * SealedSample.frameBytes,
            ] {
                try await SealedSample(suite, key: access.key, load, size: size).expectOpen()
            }
        }
        trial.injected("\(count) messages cut, reordered or spliced")
        let stored = try await StoredArtifact.make("spliced", file: "chunked.csv", access, trial)
        try trial.expect(stored.chunks.count > 1, "the artifact has \(stored.chunks.count) chunks only")
        let (first, second) = (try StoredArtifact.read(stored.chunks[0]), try StoredArtifact.read(stored.chunks[1]))
        try await stored.expectRefused("a stored chunk cut by a byte", stored.chunks[0], as: first.dropLast(), trial)
        // Nothing behind the pinned length is read: no reader is misled, and verify tells of it.
        try await stored.replacing(stored.chunks[0], by: first + [0]) {
            try await stored.expectUsable(trial)
            let found = try await trial.cluster.verify(load).results.first { $0.name == "I2" }?.finding.violations ?? []
            // Its length, and its digest.
            let name = String(stored.chunks[0].dropFirst(trial.cluster.artifacts.count + 1))
            try trial.expect(
                !found.isEmpty && found.allSatisfy { $0.contains(name) }, "a byte added to a stored chunk: verify says \(found)")
        }
        trial.injected("a byte added to a stored chunk, which nobody reads and verify finds")
        try await stored.expectRefused("an empty chunk", stored.chunks[0], as: [], trial)
        try await stored.expectRefused("the second chunk in the place of the first", stored.chunks[0], as: second, trial)
        try await stored.expectUsable(trial)
        try await trial.waitForSuccess()
    }

    private static func alterations(_ one: SealedSample, _ other: SealedSample) -> [(String, [UInt8])] {
        let (message, layout) = (one.bytes, one.layout)
        let edges = Set(
            (0..<layout.frameCount).map { layout.offset(ofFrame: $0) } + [0, layout.footerOffset, message.count])
        var found = Set(edges.flatMap { [$0 - 1, $0, $0 + 1] }).filter { (0..<message.count).contains($0) }.sorted()
            .map { ("cut at \($0)", Array(message[..<$0])) }
        found += [1, 2, 16, 105].map { ("\($0) bytes added", message + [UInt8](repeating: 0, count: $0)) }
        found.append(("doubled", message + message))
        let (mine, theirs) = (one.frames, other.frames)
        let orders = [
            [], [3], [0, 1, 2], [0, 1, 3], [1, 0, 2, 3], [0, 0, 1, 2, 3], [0, 1, 2, 3, 3], [3, 0, 1, 2], [0, 2, 1, 3],
            [0, 1, 2, 2],
        ]
        for order in orders { found.append(("frames \(order)", one.with(frames: order.map { mine[$0] }))) }
        for index in mine.indices {
            var frames = mine
            frames[index] = theirs[index]
            found.append(("frame \(index) of another message of the same key", one.with(frames: frames)))
            guard index < mine.count - 1 else { continue }
            let (number, nonce, rest) = (mine[index][..<4], mine[index][4..<16], mine[index][16...])
            let length = UInt32(rest.count - 16)
            let bytes = withUnsafeBytes(of: length.bigEndian) { Array($0) }
            let marked = [0xFF, 0xFF, 0xFF, 0xFF] + number + nonce + bytes + rest
            found.append(("frame \(index) marked final", one.with(frames: Array(mine[..<index]) + [marked])))
        }
        found.append(("the body of another message", Array(message[..<layout.headerBytes] + other.bytes[layout.headerBytes...])))
        return found
    }
}

/// A small message under the customer's key, sealed and opened through the cluster's KMS.
struct SealedSample: Sendable {
    static let frameBytes = 512
    /// What an altered message ended in.
    enum Refusal: Hashable {
        case authentication
        /// The message says itself that it is of a kind that is not opened.
        case kind
        /// KMS's own word on a sealed data key that names a key of nobody's, which people are told.
        case key
    }

    let bytes: [UInt8]
    let layout: FrameLayout
    private let plaintext: [UInt8]
    private let provider: KMSDataKeyProvider

    init(_ suite: AlgorithmSuite, key: String, _ load: ChaosLoad, size: Int = 3 * frameBytes + 77) async throws {
        provider = KMSDataKeyProvider(kms: RememberedDataKeys(try load.client.kms()), keyARN: key)
        plaintext = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
        bytes = try await MessageSealer.sealMessage(
            plaintext, provider: provider, context: ["purpose": "chaos", "größe": "1"], suite: suite,
            frameBytes: Self.frameBytes)
        let header = try MessageHeader.parse(whole: bytes[...])
        layout = try bytes.withUnsafeBytes { try FrameLayout.locate(header, in: $0) }
    }

    var frames: [[UInt8]] {
        (0..<layout.frameCount).map { Array(bytes[layout.messageRange(ofFrames: $0..<$0 + 1)]) }
    }

    func with(frames: [[UInt8]]) -> [UInt8] {
        Array(bytes[..<layout.headerBytes]) + frames.flatMap { $0 } + bytes[layout.footerOffset...]
    }

    /// Every byte of the header and the footer; of each frame its number, IV, lengths, first and last byte, and tag.
    var edges: [Int] {
        let inFrames = (0..<layout.frameCount).flatMap { frame in
            let range = layout.messageRange(ofFrames: frame..<frame + 1)
            let head = layout.isFinal(frame) ? 25 : 17
            return Array(range.prefix(head)) + Array(range.suffix(17))
        }
        return Array(0..<layout.headerBytes) + inFrames + Array(layout.footerOffset..<bytes.count)
    }

    /// Throws unless it is refused in one of the ways that a reader may see.
    func refuses(_ altered: [UInt8], _ what: String) async throws -> Refusal {
        do {
            _ = try await MessageOpener.openMessage(altered, provider: provider)
        } catch let error as EnvelopeError {
            switch error.code {
            case .authentication: return .authentication
            case .suiteRefused, .tooLarge: return .kind
            default: throw ChaosFailure(description: "\(what): refused as \(error)")
            }
        } catch let error as AWSError where error.code == "AccessDeniedException" {
            return .key
        }
        throw ChaosFailure(description: "\(what): it opens")
    }

    func expectOpen() async throws {
        guard try await MessageOpener.openMessage(bytes, provider: provider).plaintext == plaintext else {
            throw ChaosFailure(description: "a message of \(plaintext.count) bytes opens to others")
        }
    }
}

/// Case 40.
struct SealedAgain: ChaosCase {
    let number = 40
    let title = "a chunk sealed again after a crash"
    let injects = "kill -9 of a worker between an object's last byte and its row, by count; every header of the store read"
    let expects = "each object has a message id and data keys of its own"
    let limit: Duration = .seconds(400)
    private static let kills = 3

    func run(_ trial: ChaosTrial) async throws {
        let (cluster, load) = (trial.cluster, trial.load)
        let access = try await load.prepare()
        for round in 1...Self.kills {
            let count = trial.random(1...3)
            let worker = try await cluster.restart("worker-1", faults: "chunk.before-record:\(count)=kill")
            for attempt in 1... {
                try trial.expect(attempt <= 40, "chunk.before-record:\(count) was not reached")
                guard await load.submit(access) != nil else { continue }
                try await trial.wait(until: "the job to end or the worker to die", every: .milliseconds(20)) {
                    if worker.hasEnded { return true }
                    return try await cluster.openJobs() == 0
                }
                if worker.hasEnded { break }
            }
            trial.injected("round \(round): killed behind object \(count), before its row")
            try await trial.waitForEnd()
        }
        try await trial.waitForSuccess()
        let sealed = try await cluster.count("SELECT count(*) AS n FROM job_object WHERE state = 'published'")
        var (ids, keys, objects) = (Set<[UInt8]>(), Set<[UInt8]>(), 0)
        for path in try Self.objects(below: cluster.artifacts) {
            let bytes = try StoredArtifact.read(path)
            // What a killed worker was in the middle of has no name yet, or no header.
            guard let header = try? MessageHeader.parse(whole: bytes[...]) else { continue }
            objects += 1
            ids.insert(header.messageID)
            for key in header.encryptedDataKeys { keys.insert(key.ciphertext) }
        }
        try trial.expect(objects >= sealed, "\(objects) objects are in the store, \(sealed) published")
        try trial.expect(objects > sealed, "no object was sealed twice, so nothing was shown")
        try trial.expect(ids.count == objects, "\(objects) objects have \(ids.count) message ids")
        try trial.expect(keys.count == objects, "\(objects) objects have \(keys.count) data keys")
        trial.saw("\(objects) objects, \(objects - sealed) of them of attempts that died; as many message ids and data keys")
    }

    private static func objects(below folder: String) throws -> [String] {
        guard let walk = FileManager.default.enumerator(atPath: folder) else { return [] }
        return walk.compactMap { $0 as? String }.map { "\(folder)/\($0)" }.filter { path in
            var isFolder: ObjCBool = false
            return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && !isFolder.boolValue
        }
    }
}
