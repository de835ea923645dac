import Postgres
import PostgresTesting
import Testing

/// Waits for a condition in the database with a deadline that says what it waited for.
func eventually(
    _ what: String, within limit: Duration = .seconds(60), _ condition: () async throws -> Bool
) async throws {
    let end = ContinuousClock.now + limit
    var holds = try await condition()
    while !holds, ContinuousClock.now < end {
        try await Task.sleep(for: .milliseconds(10))
        holds = try await condition()
    }
    try #require(holds, "Waited in vain for: \(what)")
}

func code(of error: any Error) -> PostgresError.Code? { (error as? PostgresError)?.code }
