import AuditTrail
import FoundationEssentials
import Testing

@Suite struct HashChainTests {
    private let shard = UUID(uuidString: "00000000-0000-0000-0000-000000000001")!

    @Test func eachRecordMovesSequenceAndHash() {
        var chain = HashChain(shard: shard)
        let start = chain.hash
        chain.extend(with: "a")
        #expect(chain.sequence == 1 && chain.hash != start && chain.hash.count == 32)
    }

    @Test func orderAndContentMatter() {
        var first = HashChain(shard: shard)
        var second = first
        first.extend(with: "a")
        first.extend(with: "b")
        second.extend(with: "b")
        second.extend(with: "a")
        #expect(first.hash != second.hash)
    }

    @Test func shardsStartApart() {
        #expect(HashChain(shard: shard).hash != HashChain(shard: UUID()).hash)
    }
}
