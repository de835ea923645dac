import Artifacts
import Forecasting
import Jobs
import TimeSeries

/// One attempt at one share: reads its rows from all imports, then trains series after series, going on behind those that are
/// durable.
///
/// What a chunk holds depends on data and settings alone, so that an attempt that was taken over gives the same sums.
struct TrainAttempt: Sendable {
    /// Points of series in a chunk: half a minute of fits or so, which is what a lost worker costs.
    static let chunkPoints = 1 << 20

    let terms: TrainingTerms
    let data: TrainingData
    let settings: PredictorSettings
    let share: HashShare
    let access: TrainingAccess
    let writer: ArtifactWriter
    let limits: ChunkLimits
    let context: TaskContext

    func run() async throws {
        try await RecordSink(
            context, writer: writer, kind: .predictor, chunkKind: .fittedSeries, keyFieldCount: terms.keyNames.count,
            limits: limits
        ).fill { try await train(into: &$0) }
    }

    private func train(into sink: inout RecordSink) async throws {
        var cursor = try await assemble().cursor(globalEnd: data.extent.latest)
        cursor.skip(to: try context.durableItems())
        let trainer = SeriesTrainer(settings: settings, globalEnd: data.extent.latest)
        let none = AccuracySums(settings: settings, windows: trainer.windows)
        var sums = none
        var points = 0
        while let series = try cursor.next() {
            try check()
            try await sink.begin()
            let trained = try trainer.train(series, checkpoint: check)
            try sums.merge(trained.sums)
            try sink.add(series.key, PredictorRecord.encoded(fitted: trained.fitted, backtest: trained.backtest))
            points += series.values.count
            if sink.isFull || points >= Self.chunkPoints {
                try await sink.seal(statistics: sums.encoded, position: ItemPosition(items: cursor.position))
                sums = none
                points = 0
            }
        }
        try await sink.seal(statistics: sums.encoded, position: ItemPosition(items: cursor.position))
    }

    private func check() throws {
        try context.checkStillOurs()
        try access.check()
    }

    /// The rows of the share. Chunks are counted through all imports: of two rows at one time the later import's comes last.
    private func assemble() async throws -> SeriesAssembler {
        let assembler = try SeriesAssembler(
            layout: terms.layout, dimensions: terms.dimensions, grid: terms.grid, transformations: terms.transformations,
            share: share)
        var order = 0
        for reader in data.readers {
            for number in reader.manifest.chunks.indices {
                try check()
                let chunk = try await reader.chunk(number)
                let index = try await chunk.index(.observations)
                if let range = index.bytes(of: share) {
                    let bytes = try await chunk.readWhole(range)
                    for partition in index.partitions(of: share) {
                        try check()
                        try bytes.withUnsafeBytes { buffer in
                            let start = partition.bytes.lowerBound - range.lowerBound
                            let part = buffer[start..<start + partition.bytes.count]
                            try assembler.add(partition: UnsafeRawBufferPointer(rebasing: part), chunkOrder: order)
                        }
                    }
                }
                order += 1
            }
        }
        return assembler
    }
}
