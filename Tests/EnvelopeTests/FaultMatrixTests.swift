import Envelope
import EnvelopeFuzzing
import Testing

/// Cases 38 and 39 over every kind of message, both ciphers, and memory, file and pipe: one error, and nothing of it released.
@Suite struct FaultMatrixTests {
    /// Which kinds of refusal an alteration may end in.
    enum Refusal {
        /// Nothing but the authentication error.
        case authentication
        /// The altered field says itself what the message is; if it now names a kind that is not opened, the error may say so.
        case authenticationOrKind
    }

    static let ways = MessageOpening.Way.allCases

    /// Opens an altered message by one way and records what is not as promised.
    static func expectRefused(
        _ altered: [UInt8], of sample: Sample, _ way: MessageOpening.Way, backend: any CipherBackend,
        as refusal: Refusal = .authentication, _ what: String
    ) async throws {
        let opening = MessageOpening(provider: try FuzzKey.keyring(), backend: backend, policy: sample.policy)
        let (outcome, released) = try await opening.attempt(altered, way)
        let told = "\(sample.name), \(way), \(backend.name): \(what)"
        switch outcome {
        case .opened: Issue.record("opened: \(told)")
        case .refused(let error):
            let fits = error.code == .authentication || (refusal == .authenticationOrKind && error.code.saysKind)
            #expect(fits, "\(told): \(error)")
        }
        // A file's bytes have no name before the end. A pipe's are believed at the end, and are authentic even so; of a
        // signed message or an unframed one, none leaves.
        guard way == .pipe else { return }
        #expect(sample.plaintext.starts(with: released), "\(told) released what was never sealed")
        #expect(!sample.isSigned && sample.isFramed || released.isEmpty, "\(told) released \(released.count) bytes")
    }

    /// Genuine messages open by every way: otherwise nothing below would show anything.
    @Test(arguments: Sample.official)
    func genuineMessagesOpenByEveryWay(sample: Sample) async throws {
        for backend in everyBackend {
            for way in Self.ways {
                let opening = MessageOpening(provider: try FuzzKey.keyring(), backend: backend, policy: sample.policy)
                #expect(try await opening.attempt(sample.message, way).outcome == .opened(sample.plaintext))
            }
        }
    }

    @Test func everySuiteIsAmongTheSamples() {
        #expect(Sample.official.count == 22 && Sample.framed.count == 11)
    }

    private static let kindFields: Set<String> = ["version", "type", "suite", "content type", "content length"]

    /// Every bit of what is short, and every bit of the first and last byte of what is long.
    @Test(arguments: Sample.official)
    func everyFieldFlippedIsRefused(sample: Sample) async throws {
        var turn = 0
        for field in sample.fields.fields {
            let bytes = field.bytes.count <= 4 ? Array(field.bytes) : [field.bytes.lowerBound, field.bytes.upperBound - 1]
            for index in bytes {
                for bit in 0..<8 {
                    var altered = sample.message
                    altered[index] ^= 1 << bit
                    turn += 1
                    try await Self.expectRefused(
                        altered, of: sample, Self.ways[turn % 3], backend: everyBackend[turn / 3 % 2],
                        as: Self.kindFields.contains(field.name) ? .authenticationOrKind : .authentication,
                        "\(field.name), byte \(index), bit \(bit)")
                }
            }
        }
    }

    private static let flips = 10_000

    @Test(arguments: 0..<UInt64(8))
    func randomSingleBitFlipsAreRefused(seed: UInt64) async throws {
        var samples = Sample.official
        for suite in Sample.committedSuites { samples.append(try await Sample.sealed(suite)) }
        let kindBytes = samples.map { sample in
            Set(sample.fields.fields.filter { Self.kindFields.contains($0.name) }.flatMap(\.bytes))
        }
        var random = SeededMutator(seed: seed)
        for number in 0..<Self.flips / 8 {
            let chosen = random.number(below: samples.count)
            let sample = samples[chosen]
            let (index, bit) = (random.number(below: sample.message.count), random.number(below: 8))
            var altered = sample.message
            altered[index] ^= 1 << UInt8(bit)
            try await Self.expectRefused(
                altered, of: sample, Self.ways[random.number(below: 3)], backend: everyBackend[random.number(below: 2)],
                as: kindBytes[chosen].contains(index) ? .authenticationOrKind : .authentication,
                "seed \(seed), flip \(number): byte \(index), bit \(bit)")
        }
    }

    @Test(arguments: Sample.official)
    func cutsAtEveryEdgeAndAppendicesAreRefused(sample: Sample) async throws {
        let edges = Set(sample.fields.fields.flatMap { [$0.bytes.lowerBound, $0.bytes.upperBound] })
        let cuts = Set(edges.flatMap { [$0 - 1, $0, $0 + 1] }).filter { (0..<sample.message.count).contains($0) }
        let message = sample.message
        var wrong = cuts.sorted().map { ("cut at \($0)", Array(message[..<$0])) }
        wrong += [1, 2, 16, 105].map { ("\($0) bytes added", message + [UInt8](repeating: 0, count: $0)) }
        wrong.append(("doubled", message + message))
        wrong.append(("last frame and footer doubled", message + message[sample.fields.frames.last!.lowerBound...]))
        for (number, (what, altered)) in wrong.enumerated() {
            for way in Self.ways {
                try await Self.expectRefused(altered, of: sample, way, backend: everyBackend[number % 2], what)
            }
        }
    }

    /// Dropped, doubled, swapped; the message's own frames in any order but theirs.
    @Test(arguments: Sample.framed)
    func framesComeInOrderAndOnce(sample: Sample) async throws {
        let fields = sample.fields
        let parts = fields.frames.indices.map { fields.frame($0) }
        #expect(parts.count == 3 && fields.with(frames: parts) == sample.message)
        let orders = [
            [], [2], [0, 1], [0, 2], [1, 2], [1, 0, 2], [0, 0, 2], [1, 1, 2], [0, 0, 1, 2], [0, 1, 1, 2], [0, 1, 2, 2],
            [2, 0, 1], [0, 2, 1], [0, 1, 2, 0], [0, 1, 0, 2], [2, 2, 2], [0, 1, 1],
        ]
        for order in orders {
            for way in Self.ways {
                for backend in everyBackend {
                    try await Self.expectRefused(
                        fields.with(frames: order.map { parts[$0] }), of: sample, way, backend: backend, "frames \(order)")
                }
            }
        }
    }

    /// A regular frame made to look like the final one, with and without what follows it.
    @Test(arguments: Sample.framed)
    func finalMarkOnAnEarlierFrameIsRefused(sample: Sample) async throws {
        let fields = sample.fields
        let parts = fields.frames.indices.map { fields.frame($0) }
        for index in 0..<parts.count - 1 {
            let (number, nonce, rest) = (parts[index][..<4], parts[index][4..<16], parts[index][16...])
            let length = rest.count - 16
            let marked = [0xFF, 0xFF, 0xFF, 0xFF] + number + nonce + [0, 0, UInt8(length >> 8), UInt8(length & 0xFF)] + rest
            for frames in [parts[..<index] + [marked], parts[..<index] + [marked] + parts[(index + 1)...]] {
                for way in Self.ways {
                    try await Self.expectRefused(
                        fields.with(frames: Array(frames)), of: sample, way, backend: everyBackend[index % 2],
                        "frame \(index) marked final, \(frames.count) frames")
                }
            }
        }
    }
}
