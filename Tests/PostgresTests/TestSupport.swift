import Postgres
import PostgresTesting
import Testing

/// Waits for a condition in the database with a deadline that says what it waited for.
func eventually(
    _ what: String, within limit: Duration = .seconds(60), _ condition: () async throws -> Bool
) async throws {
    let end = ContinuousClock.now + limit
    while ContinuousClock.now < end {
        if try await condition() { return }
        try await Task.sleep(for: .milliseconds(10))
    }
    Issue.record("Waited in vain for: \(what)")
}

func code(of error: any Error) -> PostgresError.Code? { (error as? PostgresError)?.code }
