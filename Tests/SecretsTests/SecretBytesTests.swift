import Secrets
import Testing

@Suite struct SecretBytesTests {
    @Test(arguments: [0, 1, 32, 4096, 4097])
    func holdsWhatItWasGiven(count: Int) {
        let source = (0..<count).map { UInt8(truncatingIfNeeded: $0) }
        let secret = SecretBytes(count: count) { $0.copyBytes(from: source) }
        let held = secret.count
        #expect(held == count)
        let bytes = secret.withUnsafeBytes { Array($0) }
        #expect(bytes == source)
    }

    @Test func randomSecretsDiffer() {
        let a = SecretBytes.random(count: 33)
        let b = SecretBytes.random(count: 33)
        let (other, same) = (a.constantTimeEquals(b), a.constantTimeEquals(a))
        #expect(!other)
        #expect(same)
    }

    @Test func consumingOverwritesTheSource() {
        var source: [UInt8] = [1, 2, 3]
        let secret = SecretBytes(consuming: &source)
        #expect(source.isEmpty)
        let bytes = secret.withUnsafeBytes { Array($0) }
        #expect(bytes == [1, 2, 3])
    }

    @Test func failingInitializerThrowsItsOwnError() {
        struct Broken: Error {}
        #expect(throws: Broken.self) { _ = try SecretBytes(count: 8) { _ in throw Broken() } }
    }

    @Test func constantTimeComparisonJudgesEveryByte() {
        let bytes = (0..<40).map { UInt8($0) }
        #expect(constantTimeEquals(bytes, bytes[...]))
        #expect(constantTimeEquals([], []))
        #expect(!constantTimeEquals(bytes, bytes.dropLast()))
        for index in bytes.indices {
            var other = bytes
            other[index] ^= 0x80
            #expect(!constantTimeEquals(bytes, other))
        }
    }

    @Test func wipingAnArrayZeroesItsStorage() {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 16, alignment: 1)
        defer { buffer.deallocate() }
        buffer.initializeMemory(as: UInt8.self, repeating: 7)
        wipe(buffer)
        #expect(Array(buffer) == [UInt8](repeating: 0, count: 16))
    }
}
