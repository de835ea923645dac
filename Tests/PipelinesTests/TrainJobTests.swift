import AWSProtocol
import Artifacts
import Catalog
import Forecasting
import Foundation
import Jobs
import Pipelines
import PostgresTesting
import Synchronization
import Testing
import TimeSeries

@Suite(.enabled(if: TestDatabase.isAvailable))
struct TrainJobTests {
    static let schema: [ImportDocument.Attribute] = [
        .init(name: "item_id", type: "string"), .init(name: "timestamp", type: "timestamp"),
        .init(name: "target_value", type: "float"),
    ]
    static let itemCount = 72

    /// Days from 1970-04-11 on; ids are long, so that few series fill a chunk.
    static func csv(_ days: Range<Int>) -> String {
        (0..<itemCount).map { item in
            days.map { day in
                let date = TimestampStyle.date.string(Int64(100 + day) * 86_400)
                return "\(name(item)),\(date),\(week[day % 7] * Double(item + 1) + Double(day % 3))\n"
            }.joined()
        }.joined()
    }

    static func name(_ item: Int) -> String { "item-\(item)-" + String(repeating: "x", count: 240) }

    private func imported(_ world: TrainWorld, _ name: String, _ days: Range<Int>) async throws -> ArtifactInput {
        try world.put(Self.csv(days), "\(name).csv")
        let key = world.key(.datasetImportJob, "sales/\(name)", TrainWorld.dataKey)
        let document = ImportDocument(
            dataset: "arn:aws:forecast:us-west-2:\(TrainWorld.account):dataset/sales", domain: "CUSTOM",
            datasetType: "TARGET_TIME_SERIES", schema: Self.schema,
            source: BucketLocation(path: "s3://data/\(name).csv", roleARN: TrainWorld.role, keyARN: nil),
            timestampFormat: "yyyy-MM-dd", output: key)
        let resource = try await world.run(.import, .datasetImportJob, document, output: key)
        try #require(resource.status == .active, "\(resource.message ?? "")")
        return try world.input(key, resource)
    }

    private func document(_ inputs: [ArtifactInput], _ output: ArtifactKey, horizon: Int = 14) -> TrainDocument {
        TrainDocument(
            inputs: inputs, domain: "CUSTOM", schema: Self.schema, dataFrequency: nil, forecastFrequency: "D",
            horizon: horizon, forecastTypes: ["0.1", "0.5", "0.9"], dimensions: [], alignment: nil,
            transformations: ["aggregation": "sum"], optimizationMetric: "WAPE", backtestWindows: 2, backtestOffset: horizon,
            output: output)
    }

    @Test func importsBecomeAPredictorAndAForecastWhateverFails() async throws {
        try await TrainWorld.with { world in
            let inputs = [try await imported(world, "first", 0..<40), try await imported(world, "second", 40..<60)]
            let output = world.key(.predictor, "calm", TrainWorld.modelKey)
            let made = world.authority.grantsEverMade
            let predictor = try await world.run(.train, .predictor, document(inputs, output), output: output)
            #expect(predictor.status == .active, "\(predictor.message ?? "")")
            #expect(world.authority.grantsEverMade - made == 3)
            #expect(world.authority.grants.isEmpty)
            let calm = try await world.sections(output, predictor)
            let settings = try PredictorManifest(sections: calm.manifest.sections)
            #expect(settings.series == Self.itemCount)
            #expect(settings.globalEnd == 159 * 86_400)
            let summary = settings.evaluation[0]["TestWindows"]?.arrayValue?.first
            #expect(summary?["ItemCount"]?.intValue == Int64(Self.itemCount))
            #expect(try #require(summary?["Metrics"]?["RMSE"]?.doubleValue) > 0)
            #expect(calm.manifest.chunks.count > 1)

            // The same again, failing behind each chunk: what is durable is gone on from, and the results are the same.
            let rough = world.key(.predictor, "rough", TrainWorld.modelKey)
            let again = try await world.run(
                .train, .predictor, document(inputs, rough), output: rough, faults: failing(.chunkRecorded, times: 3))
            #expect(again.status == .active, "\(again.message ?? "")")
            let recovered = try await world.sections(rough, again)
            #expect(recovered.manifest.sections == calm.manifest.sections)
            #expect(recovered.manifest.chunks.map(\.plaintextBytes) == calm.manifest.chunks.map(\.plaintextBytes))
            #expect(Set(recovered.manifest.chunks.compactMap { $0.objectName.split(separator: "/").dropLast().last }).count > 1)

            try await forecast(world, try world.input(output, predictor), faults: .none, "calm")
            try await forecast(world, try world.input(rough, again), faults: failing(.chunkRecorded, times: 2), "rough")
        }
    }

    private func forecast(_ world: TrainWorld, _ predictor: ArtifactInput, faults: FaultPoints, _ name: String) async throws {
        let output = world.key(.forecast, name, TrainWorld.modelKey)
        let resource = try await world.run(
            .forecast, .forecast,
            ForecastDocument(predictor: predictor, forecastTypes: ["0.05", "0.5", "mean"], output: output), output: output,
            faults: faults)
        #expect(resource.status == .active, "\(resource.message ?? "")")
        let (manifest, reader) = try await world.sections(output, resource)
        let forecast = try ForecastManifest(sections: manifest.sections)
        #expect(forecast.series == Self.itemCount)
        #expect(forecast.keyNames == ["item_id"])
        #expect(forecast.types == [.quantile(5), .quantile(50), .mean])
        var items: [String] = []
        for number in manifest.chunks.indices {
            let chunk = try await reader.chunk(number)
            let index = try ChunkIndex(
                reading: try await chunk.read(0..<min(ChunkIndex.headBytes, chunk.plaintextBytes)), expecting: .forecastValues,
                plaintextBytes: chunk.plaintextBytes)
            for partition in index.partitions {
                for (key, payload) in try KeyedPartition.records(in: try await chunk.read(partition.bytes), where: { _ in true })
                {
                    let values = try ForecastValues(decoding: payload)
                    #expect(values.timestamps == (0..<14).map { Int64(160 + $0) * 86_400 })
                    items.append(key.itemID)
                }
            }
        }
        #expect(items.sorted() == (0..<Self.itemCount).map(Self.name).sorted())
    }

    @Test func tooLongHorizonFailsTheJobWithAMessageAndRetiresItsGrants() async throws {
        try await TrainWorld.with { world in
            let input = try await imported(world, "short", 0..<20)
            let output = world.key(.predictor, "short", TrainWorld.modelKey)
            let predictor = try await world.run(.train, .predictor, document([input], output, horizon: 6), output: output)
            #expect(predictor.status == .createFailed)
            #expect(predictor.message?.hasPrefix("ForecastHorizon must be 1 to 5 for this target time series") == true)
            #expect(world.authority.grants.isEmpty)
        }
    }

    @Test func grantOnTheOutputThatIsRevokedDuringTrainingFailsTheJobAndPublishesNothing() async throws {
        try await TrainWorld.with(keyLease: .milliseconds(50)) { world in
            let input = try await imported(world, "data", 0..<60)
            let output = world.key(.predictor, "revoked", TrainWorld.modelKey)
            world.authority.revokeWithNextDataKey(of: TrainWorld.modelKey)
            let predictor = try await world.run(.train, .predictor, document([input], output), output: output)
            #expect(predictor.status == .createFailed)
            // Whether the lease speaks during the fits or the next data key is refused depends on how fast the machine is; the
            // message does not.
            let message = try #require(predictor.message)
            for part in [output.resource, TrainWorld.modelKey, TrainWorld.role, "AccessDeniedException", "revoked"] {
                #expect(message.contains(part), "\(message)")
            }
            #expect(predictor.manifest == nil)
            #expect(world.authority.grants.isEmpty)
        }
    }

    @Test func whatConcernsTheServiceItselfIsTriedAgain() async throws {
        try await TrainWorld.with { world in
            for handler in PipelineHandlers.all(world.environment) {
                for error in [AWSError.expiredToken, .unrecognizedClient, .throttling(), .serviceUnavailable()] {
                    #expect(handler.jobError(for: error)?.isRetriable == true, "\(error)")
                }
                for error in [AWSError.accessDenied("no"), AWSError(code: "DisabledException", message: "k is disabled.")] {
                    #expect(handler.jobError(for: error)?.code == .final, "\(error)")
                }
            }
        }
    }

    @Test func roleThatMayNotGrantIsNamedWithArtifactAndKey() async throws {
        try await TrainWorld.with { world in
            let input = try await imported(world, "data", 0..<60)
            let output = world.key(.predictor, "refused", TrainWorld.modelKey)
            world.authority.refuseGrants(on: TrainWorld.modelKey)
            let predictor = try await world.run(.train, .predictor, document([input], output), output: output)
            #expect(predictor.status == .createFailed)
            for part in [output.resource, TrainWorld.modelKey, TrainWorld.role, "AccessDeniedException"] {
                #expect(predictor.message?.contains(part) == true, "\(predictor.message ?? "")")
            }
        }
    }

    private func failing(_ point: FaultPoint, times: Int) -> FaultPoints {
        let left = FaultsLeft(times)
        return FaultPoints { reached in
            if reached == point, left.take() { throw JobError.retriable("A fault of the test.") }
        }
    }
}

private final class FaultsLeft: Sendable {
    private let left: Mutex<Int>
    init(_ count: Int) { left = Mutex(count) }

    func take() -> Bool {
        left.withLock {
            $0 -= 1
            return $0 >= 0
        }
    }
}
