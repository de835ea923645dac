import FaultInjection
import NIOCore
import Testing

@Suite struct TrafficShaperTests {
    private let start = NIODeadline.uptimeNanoseconds(1_000_000_000)

    private func plan(
        _ shaper: inout TrafficShaper, _ bytes: Int, _ toxics: Toxics, at milliseconds: Int64 = 0, chance: Double = 0
    )
        -> TrafficShaper.Plan
    {
        shaper.plan(bytes, toxics: toxics, now: start + .milliseconds(milliseconds)) { chance }
    }

    private func milliseconds(_ plan: TrafficShaper.Plan) -> [Int64] {
        plan.pieces.map { ($0.leavesAt - start).nanoseconds / 1_000_000 }
    }

    @Test func nothingIsHeldWithoutToxics() {
        var shaper = TrafficShaper()
        let plan = plan(&shaper, 1000, .none)
        #expect(plan.pieces.map(\.bytes) == [1000] && milliseconds(plan) == [0])
        #expect(plan.ending == nil)
    }

    @Test func latencyDelaysAndJitterNeverReorders() {
        var shaper = TrafficShaper()
        let toxics = Toxics(latency: .milliseconds(200), jitter: .milliseconds(100))
        #expect(milliseconds(plan(&shaper, 1, toxics, chance: 1)) == [300])
        #expect(milliseconds(plan(&shaper, 1, toxics, at: 10, chance: -1)) == [300])
        #expect(milliseconds(plan(&shaper, 1, toxics, at: 400, chance: -1)) == [500])
    }

    @Test func jitterBeyondTheLatencyIsNoTimeTravel() {
        var shaper = TrafficShaper()
        #expect(milliseconds(plan(&shaper, 1, Toxics(jitter: .milliseconds(50)), at: 10, chance: -1)) == [10])
    }

    @Test func aRateSpreadsPiecesAndIdleTimeIsNotSaved() {
        var shaper = TrafficShaper()
        let toxics = Toxics(bytesPerSecond: 1000, sliceBytes: 100)
        #expect(milliseconds(plan(&shaper, 250, toxics)) == [100, 200, 250])
        #expect(milliseconds(plan(&shaper, 100, toxics, at: 100)) == [350])
        #expect(milliseconds(plan(&shaper, 100, toxics, at: 10_000)) == [10_100])
    }

    @Test(arguments: [(99, [99], nil), (100, [100], nil), (101, [100], Toxics.Ending.reset)] as [(Int, [Int], Toxics.Ending?)])
    func anEndingComesBehindTheLastByteThatIsLetThrough(arrived: Int, passed: [Int], ending: Toxics.Ending?) {
        var shaper = TrafficShaper()
        let plan = plan(&shaper, arrived, Toxics(ending: .reset, endingAfterBytes: 100))
        #expect(plan.pieces.map(\.bytes) == passed)
        #expect(plan.ending == ending)
    }

    @Test func bytesBeforeTheToxicCountTowardsItsEnding() {
        var shaper = TrafficShaper()
        _ = plan(&shaper, 80, .none)
        let plan = plan(&shaper, 80, Toxics(ending: .stall, endingAfterBytes: 100))
        #expect(plan.pieces.map(\.bytes) == [20])
        #expect(plan.ending == .stall)
    }

    @Test func theEndOfTheStreamComesBehindItsBytes() {
        var shaper = TrafficShaper()
        let toxics = Toxics(latency: .milliseconds(200), closeDelay: .milliseconds(50))
        _ = plan(&shaper, 1, toxics)
        #expect((shaper.endLeavesAt(toxics: toxics, now: start) - start) == .milliseconds(250))
    }

    @Test func everyByteLeavesOnceAndInOrderWhateverTheToxics() {
        var chance = SeededChance(7)
        for _ in 0..<500 {
            var shaper = TrafficShaper()
            var arrivedInAll = 0
            var last = start
            for step in 0..<20 {
                let toxics = Toxics(
                    latency: .milliseconds(Int.random(in: 0...50, using: &chance)),
                    jitter: .milliseconds(Int.random(in: 0...50, using: &chance)),
                    bytesPerSecond: Bool.random(using: &chance) ? Int.random(in: 1...10_000, using: &chance) : nil,
                    sliceBytes: Bool.random(using: &chance) ? Int.random(in: 1...64, using: &chance) : nil)
                let arrived = Int.random(in: 0...500, using: &chance)
                arrivedInAll += arrived
                let now = start + .milliseconds(Int64(step * 7))
                let plan = shaper.plan(arrived, toxics: toxics, now: now) { chance.next() }
                #expect(plan.pieces.reduce(0) { $0 + $1.bytes } == arrived)
                for piece in plan.pieces {
                    #expect(piece.leavesAt >= last && piece.leavesAt >= now)
                    last = piece.leavesAt
                }
            }
            #expect(shaper.passedBytes == arrivedInAll)
        }
    }
}
