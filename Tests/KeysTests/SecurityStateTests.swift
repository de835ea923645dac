import FoundationEssentials
import Keys
import Testing

@Suite struct SecurityStateTests {
    private func head(_ byte: UInt8, _ sequence: Int64, hash: UInt8 = 1) -> SecurityState.Head {
        SecurityState.Head(
            shard: UUID(uuid: (byte, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)), sequence: sequence,
            hash: [UInt8](repeating: hash, count: 32))
    }

    private func state(_ incarnation: Int, _ epoch: Int64, _ records: Int64, _ heads: [SecurityState.Head]) -> SecurityState {
        SecurityState(incarnation: incarnation, epoch: epoch, records: records, heads: heads)
    }

    @Test func aStateReadsBackAndADamagedOneIsToldApart() throws {
        let whole = state(2, 41, 4711, [head(1, 7), head(2, 9, hash: 3)])
        #expect(try SecurityState(parsing: whole.text) == whole)
        #expect(try SecurityState(parsing: state(1, 0, 0, []).text) == state(1, 0, 0, []))
        for damaged in [
            "", whole.text.replacing("epoch 41", with: "epoch 40"), String(whole.text.dropLast(10)),
            whole.text.replacing("head 01", with: "head 03"), whole.text.replacing("forecastle", with: "somebody"),
        ] {
            let error = #expect(throws: VaultError.self) { try SecurityState(parsing: damaged) }
            #expect(error?.code == .unsafe)
        }
    }

    @Test func mergingGoesForwardOnly() {
        let older = state(1, 5, 10, [head(1, 7), head(2, 3)])
        let newer = state(1, 4, 12, [head(3, 1), head(1, 6), head(2, 5)])
        let merged = older.merged(with: newer)
        #expect(merged == state(1, 5, 12, [head(3, 1), head(1, 7), head(2, 5)]))
        #expect(merged.merged(with: older) == state(1, 5, 12, [head(1, 7), head(2, 5), head(3, 1)]))
        // What was noted before an older database was accepted counts no more.
        let accepted = state(2, 6, 4, [head(9, 1)])
        #expect(merged.merged(with: accepted) == accepted && accepted.merged(with: merged) == accepted)
    }

    @Test(arguments: [-1, 0, 1]) func headsAreBounded(beyond: Int) {
        let heads = (0..<(SecurityState.maximumHeads + beyond)).map {
            SecurityState.Head(shard: UUID(), sequence: Int64($0), hash: [])
        }
        #expect(state(1, 0, 0, heads).heads.count == min(heads.count, SecurityState.maximumHeads))
    }
}
