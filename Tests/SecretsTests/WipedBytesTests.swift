import Secrets
import Testing

@Suite struct WipedBytesTests {
    @Test(arguments: [0, 1, 1023, 1024, 1025, 5000])
    func growsByPieces(count: Int) throws {
        let source = (0..<count).map { UInt8(truncatingIfNeeded: $0) }
        let bytes = WipedBytes()
        for start in stride(from: 0, to: count, by: 700) {
            source[start..<min(start + 700, count)].withUnsafeBytes { bytes.append($0) }
        }
        #expect(bytes.count == count)
        #expect(try bytes.withUnsafeBytes { Array($0) } == source)
    }

    @Test func wipedBytesAreZeroAndTakeNothingMore() throws {
        let bytes = WipedBytes()
        [7, 7, 7].withUnsafeBytes { bytes.append($0) }
        // The storage stays until the last holder lets go.
        let address = try bytes.withUnsafeBytes { UInt(bitPattern: $0.baseAddress) }
        bytes.wipe()
        let left = try #require(UnsafeRawPointer(bitPattern: address))
        #expect(UnsafeRawBufferPointer(start: left, count: 24).allSatisfy { $0 == 0 })
        #expect(throws: SecretError.wiped) { try bytes.withUnsafeBytes { $0.count } }
        [7].withUnsafeBytes { bytes.append($0) }
        #expect(bytes.count == 0)
        #expect("\(bytes)" == "<redacted>")
    }
}
