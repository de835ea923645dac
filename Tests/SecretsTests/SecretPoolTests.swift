import Secrets
import Testing

@Suite struct SecretPoolTests {
    /// Noncopyable values cannot stand in an array.
    private final class Holder {
        let secret: SecretBytes
        init(_ secret: consuming SecretBytes) { self.secret = secret }
        var bytes: [UInt8] { secret.withUnsafeBytes { Array($0) } }
    }

    private func holder(_ number: Int, count: Int, in pool: SecretPool) -> Holder {
        Holder(
            SecretBytes(count: count, in: pool) { target in
                for index in 0..<count { target[index] = UInt8(truncatingIfNeeded: number &* 31 &+ index) }
            })
    }

    @Test func tenThousandKeysFitInEightyPages() {
        let pool = SecretPool()
        var holders = (0..<10_000).map { holder($0, count: 32, in: pool) }
        #expect(pool.usage.secrets == 10_000)
        #expect(pool.usage.lockedBytes + pool.usage.unlockedBytes <= 80 * 4096)
        for (number, holder) in holders.enumerated() {
            #expect(holder.bytes == (0..<32).map { UInt8(truncatingIfNeeded: number &* 31 &+ $0) })
        }
        holders = []
        #expect(pool.usage.secrets == 0)
        #expect(pool.usage.lockedBytes <= 4096 && pool.usage.unlockedBytes == 0)
    }

    @Test(arguments: [0, 1, 31, 32, 33, 64, 2047, 2048, 2049, 4096, 4097, 70_000])
    func secretsOfEverySizeAreZeroedApartAndGivenBack(count: Int) {
        let pool = SecretPool()
        // More than one page of the size, given back in an order of its own and taken again.
        var holders = (0..<300).map { holder($0, count: count, in: pool) }
        holders.shuffle()
        holders.removeLast(200)
        for _ in 0..<200 {
            let fresh = Holder(SecretBytes(count: count, in: pool) { target in #expect(target.allSatisfy { $0 == 0 }) })
            holders.append(fresh)
        }
        for holder in holders.prefix(100) where count > 0 {
            let first = holder.bytes[0]
            #expect(holder.bytes == (0..<count).map { first &+ UInt8(truncatingIfNeeded: $0) })
        }
        holders = []
        #expect(pool.usage.secrets == 0)
        #expect(pool.usage.lockedBytes + pool.usage.unlockedBytes <= 4096)
    }

    @Test func secretsComeAndGoOnManyThreads() async {
        let pool = SecretPool()
        await withTaskGroup(of: Bool.self) { group in
            for worker in 0..<8 {
                group.addTask {
                    (0..<2000).allSatisfy { round in
                        let mark = UInt8(truncatingIfNeeded: worker &* 37 &+ round)
                        let count = [16, 32, 100, 3000][round % 4]
                        let secret = SecretBytes(count: count, in: pool) {
                            $0.initializeMemory(as: UInt8.self, repeating: mark)
                        }
                        return secret.withUnsafeBytes { $0.allSatisfy { $0 == mark } }
                    }
                }
            }
            for await isWhole in group { #expect(isWhole) }
        }
        #expect(pool.usage.secrets == 0)
    }

    @Test func aFailedInitializerGivesItsBytesBack() {
        struct Broken: Error {}
        let pool = SecretPool()
        #expect(throws: Broken.self) { _ = try SecretBytes(count: 8, in: pool) { _ in throw Broken() } }
        #expect(pool.usage.secrets == 0)
    }
}
