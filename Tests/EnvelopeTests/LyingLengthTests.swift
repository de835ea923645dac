import Envelope
import EnvelopeFuzzing
import Testing

/// Case 38: counts and lengths that say what is not so. `Tests/Clients/test_message_faults.py` opens some of them in a
/// process that may hold little memory.
@Suite struct LyingLengthTests {
    private static let numbers: [Int: [UInt64]] = [
        1: [0, 1, 0x7F, 0xFF],
        2: [0, 1, 63, 64, 65, 0x7FFF, 0x8000, 0xFFFF],
        4: [0, 1, 15, 17, 127, 129, 1 << 24, 1 << 24 + 1, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFE, 0xFFFF_FFFF],
        8: [0, 1, 1 << 26, 1 << 26 + 1, 1 << 36, 1 << 62, 0x7FFF_FFFF_FFFF_FFFF, 0x8000_0000_0000_0000, .max],
    ]

    @Test(arguments: Sample.official)
    func liesAreRefusedByEveryWay(sample: Sample) async throws {
        let fields = sample.fields
        for field in fields.fields where field.name.hasSuffix("length") || field.name.hasSuffix("count") {
            for (turn, number) in (Self.numbers[field.bytes.count] ?? []).enumerated() {
                let altered = fields.with(number, in: field)
                guard altered != sample.message else { continue }
                for way in FaultMatrixTests.ways {
                    try await FaultMatrixTests.expectRefused(
                        altered, of: sample, way, backend: everyBackend[turn % 2],
                        as: field.name == "content length" ? .authenticationOrKind : .authentication,
                        "\(field.name) \(number)")
                }
            }
        }
    }

    /// A header asks for no more than its bound, whatever it claims, and is refused once it claims more.
    @Test func headersThatNeverEndAreRefusedAtTheirBound() throws {
        var limits = MessageLimits()
        limits.maximumHeaderBytes = 4096
        for start: [UInt8] in [
            [2, 4, 0x78] + [UInt8](repeating: 7, count: 32) + [0, 0, 0, 64],
            [2, 5, 0x78] + [UInt8](repeating: 7, count: 32) + [0, 0, 0, 64],
        ] {
            var bytes = start
            while bytes.count <= limits.maximumHeaderBytes {
                guard case .needs(let total)? = try? MessageHeader.parse(bytes[...], limits: limits) else { break }
                #expect(total > bytes.count && total <= limits.maximumHeaderBytes)
                bytes += [UInt8](repeating: 0x01, count: total - bytes.count)
            }
            #expect(throws: EnvelopeError.self) { try MessageHeader.parse(bytes[...], limits: limits) }
            #expect(bytes.count <= limits.maximumHeaderBytes)
        }
    }
}
