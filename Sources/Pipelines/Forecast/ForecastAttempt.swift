import Artifacts
import Forecasting
import Jobs
import TimeSeries

/// One attempt at one chunk of the predictor: forecasts its series in the order of the records, going on behind those that
/// are durable.
struct ForecastAttempt: Sendable {
    let predictor: PredictorManifest
    let types: [ForecastType]
    let chunk: ChunkReader
    let leases: [KeyLease]
    let writer: ArtifactWriter
    let limits: ChunkLimits
    let context: TaskContext

    func run() async throws {
        try await RecordSink(
            context, writer: writer, kind: .forecast, chunkKind: .forecastValues, keyFieldCount: predictor.keyNames.count,
            limits: limits
        ).fill { try await forecast(into: &$0) }
    }

    private func forecast(into sink: inout RecordSink) async throws {
        let durable = try context.durableItems()
        var items = 0
        for partition in try await chunk.index(.fittedSeries).partitions {
            guard items + partition.itemCount > durable else {
                items += partition.itemCount
                continue
            }
            let records = try KeyedPartition.records(in: try await chunk.readWhole(partition.bytes)) { _ in true }
            for record in records {
                items += 1
                guard items > durable else { continue }
                try check()
                try await sink.begin()
                let values = try PredictorRecord.fittedSeries(in: record.payload)
                    .forecast(types: types, grid: predictor.settings.grid)
                try sink.add(record.key, values.encoded)
                if sink.isFull { try await sink.seal(position: ItemPosition(items: items)) }
            }
        }
        try await sink.seal(position: ItemPosition(items: items))
    }

    private func check() throws {
        try context.checkStillOurs()
        for lease in leases { try lease.check() }
    }
}
