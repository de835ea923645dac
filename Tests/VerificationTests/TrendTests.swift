import Testing
import Verification

@Suite struct TrendTests {
    private func points(_ value: (Double) -> Double) -> [(time: Double, value: Double)] {
        (0..<120).map { (Double($0) * 5, value(Double($0) * 5)) }
    }

    @Test func aSteadyQuantityIsFlatWhateverItsNoise() throws {
        let trend = try #require(Trend(points { 100 + ($0.truncatingRemainder(dividingBy: 35) - 15) }))
        #expect(abs(trend.drift) < 5)
        #expect(trend.isFlat(part: 0.1, floor: 0))
    }

    @Test func aLeakIsNoneHoweverSlow() throws {
        let trend = try #require(Trend(points { 100 + $0 / 10 }))
        #expect(abs(trend.slope - 0.1) < 1e-9)
        #expect(!trend.isFlat(part: 0.2, floor: 10))
        #expect(trend.isFlat(part: 0.2, floor: 60))
    }

    @Test func singleSamplesFarOffChangeNothing() throws {
        let trend = try #require(Trend(points { $0 == 300 || $0 == 595 ? 1_000_000 : 7 }))
        #expect(trend.slope == 0)
        #expect(trend.median == 7)
    }

    @Test func whatShrinksIsFlat() throws {
        #expect(try #require(Trend(points { 1000 - $0 })).isFlat(part: 0, floor: 0))
    }

    @Test func fewerThanTwoMomentsHaveNoTrend() {
        #expect(Trend([]) == nil)
        #expect(Trend([(1, 1)]) == nil)
        #expect(Trend([(1, 1), (1, 2)]) == nil)
    }

    @Test func manySamplesAreThinnedOut() throws {
        let many = (0..<20_000).map { (time: Double($0), value: Double($0) * 2) }
        let trend = try #require(Trend(many))
        #expect(abs(trend.slope - 2) < 1e-9)
        #expect(trend.samples == 20_000)
    }
}
