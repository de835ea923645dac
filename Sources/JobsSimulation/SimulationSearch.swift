import FoundationEssentials

/// Looks for a schedule that fails, on all cores.
package struct SimulationSearch<World: SimulatedWorld>: Sendable {
    /// Schedules that one task runs before it looks around.
    private static var batch: UInt64 { 500 }

    private let settings: World.Settings

    package init(_ settings: World.Settings) {
        self.settings = settings
    }

    /// The lowest seed of the first batch that has one which fails.
    package func firstFailure(seeds: Range<UInt64>) async -> UInt64? {
        await withTaskGroup(of: UInt64?.self) { group in
            var next = seeds.lowerBound
            func addBatch() {
                guard next < seeds.upperBound else { return }
                let batch = next..<min(next + min(Self.batch, seeds.upperBound - next), seeds.upperBound)
                next = batch.upperBound
                group.addTask { [settings] in batch.first { SimulationRun<World>(settings, seed: $0).failure() != nil } }
            }
            for _ in 0..<ProcessInfo.processInfo.activeProcessorCount { addBatch() }
            while let answer = await group.next() {
                if let answer {
                    group.cancelAll()
                    return answer
                }
                addBatch()
            }
            return nil
        }
    }
}
