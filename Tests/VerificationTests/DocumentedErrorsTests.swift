import Logging
import ObjectStore
import Postgres
import Testing
import Verification

@Suite struct DocumentedErrorsTests {
    private func check(_ errors: [ClientError]) async throws -> Finding {
        // Never connected to: this check reads what clients wrote alone.
        let pool = PostgresPool(configuration: .init(connection: "host=/nowhere"), logger: Logger(label: "test"))
        defer { pool.close() }
        var cluster = VerifiedCluster(
            jobs: pool, authority: nil, artifacts: try DirectoryObjectStore(root: "/"), lease: .seconds(5), beat: .seconds(1),
            memoryBounds: .init(baseBytes: 1, workerBytes: 1), outboxRowsMax: 1)
        cluster.clientErrors = errors
        return try await DocumentedErrors().check(cluster)
    }

    @Test func documentedErrorsPass() async throws {
        let finding = try await check([
            .init(operation: "CreateDataset", code: "ServiceUnavailable", status: 503),
            .init(operation: "CreateDataset", code: "ResourceAlreadyExistsException", status: 400),
        ])
        #expect(finding.holds && finding.checked.first?.count == 2)
    }

    @Test(arguments: [
        ClientError(operation: "CreateDataset", code: "UnknownError", status: 500),
        ClientError(operation: "CreateDataset", code: "ServiceUnavailable", status: 200),
        ClientError(operation: "CreateDataset", code: "", status: 400),
    ])
    func anythingElseDoesNot(error: ClientError) async throws {
        let finding = try await check([error, error])
        #expect(finding.violationCount == 1 && finding.violations.first?.contains("2 times") == true)
    }
}
