import AWSProtocol
import Artifacts
import Forecasting
import FoundationEssentials
import Jobs
import Pipelines
import PostgresTesting
import Testing

@Suite(.enabled(if: TestDatabase.isAvailable))
struct QueriesReadingTests {
    private func queries(_ world: TrainWorld) throws -> (queries: ArtifactQueries, grants: ReadGrants) {
        let grants = ReadGrants(
            process: "api-1", pool: world.pool, retirer: KMSGrantRetirer(roles: world.roles, process: "api-1"),
            logger: TestDatabase.logger)
        let keeper = KeyLeaseKeeper(timing: KeyLeaseTiming(interval: .seconds(600)), logger: TestDatabase.logger)
        return (
            ArtifactQueries(
                readGrants: grants, roles: world.roles, keeper: keeper, artifacts: try world.artifacts(), process: "api-1"),
            grants
        )
    }

    @Test func readsShareOneGrantThatGoesWithTheProcess() async throws {
        try await ExportWorld.with { world in
            let (queries, grants) = try queries(world.world)
            let made = world.world.authority.grantsEverMade
            for (number, item) in ["a", "b"].enumerated() {
                let answer = try await queries.predictions(
                    world.forecast, account: TrainWorld.account, filters: ["item_id": item], start: nil, end: nil)
                let expected = world.trained[number].fitted.forecast(types: ExportWorld.types, grid: world.grid)
                #expect(answer.keys == ["p10", "p50", "p90"])
                #expect(answer["p50"]?.arrayValue?.compactMap { $0["Value"]?.doubleValue } == expected.values[1])
            }
            let results = try await queries.evaluationResults(world.predictor, account: TrainWorld.account)
            #expect(results == [["TestWindows": [["EvaluationType": "SUMMARY"]]]])
            #expect(world.world.authority.grantsEverMade - made == 2)
            #expect(
                world.world.authority.grants
                    == [world.forecast, world.predictor]
                    .map { "read/api-1/\($0.key.incarnation.uuidString.lowercased())" }.sorted())
            await grants.close()
            #expect(world.world.authority.grants.isEmpty)
        }
    }

    @Test func revokedGrantDeniesAndIsNotHandedOutAgain() async throws {
        try await ExportWorld.with { world in
            let (queries, grants) = try queries(world.world)
            let account = TrainWorld.account
            _ = try await queries.evaluationResults(world.predictor, account: account)
            world.world.authority.revoke(TrainWorld.modelKey)
            let denial = await #expect(throws: AWSError.self) {
                try await queries.evaluationResults(world.predictor, account: account)
            }
            #expect(denial?.code == "AccessDeniedException")
            #expect(denial?.message.contains(TrainWorld.modelKey) == true)
            // The key itself may still be used: the next query makes a grant of its own.
            _ = try await queries.evaluationResults(world.predictor, account: account)
            await grants.close()
        }
    }

    @Test func seriesOfOneItemAreToldApartByTheirDimensions() async throws {
        try await ExportWorld.with(dimensions: ["store"]) { world in
            let (queries, grants) = try queries(world.world)
            func ask(_ filters: [String: String]) async throws -> JSONObject {
                try await queries.predictions(
                    world.forecast, account: TrainWorld.account, filters: filters, start: nil, end: nil)
            }
            let several = await #expect(throws: AWSError.self) { try await ask(["item_id": "a"]) }
            #expect(several?.code == "InvalidInputException")
            #expect(several?.message.contains("store") == true)
            let none = await #expect(throws: AWSError.self) { try await ask(["item_id": "z"]) }
            #expect(none?.code == "ResourceNotFoundException")
            #expect(try await ask(["item_id": "a", "store": "store b"])["p10"]?.arrayValue?.count == ExportWorld.horizon)
            await grants.close()
        }
    }
}
