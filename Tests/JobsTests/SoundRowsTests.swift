import Jobs
import Postgres
import PostgresTesting
import Testing

/// What the database refuses whatever a statement of ours says: no row of a job or a task breaks a rule of its table.
@Suite(.enabled(if: TestDatabase.isAvailable)) struct SoundRowsTests {
    private static let ofJobs = [
        "state = 'lost'", "state = 'succeeded'", "finished_at = now()", "state = 'failing', ending_at = now()",
        "state = 'failed', finished_at = now()", "state = 'retiring'", "state = 'stopping'",
        "state = 'retiring', retiring_at = now(), open_tasks = 1, total_tasks = 1", "manifest_object = 'artifacts/m'",
        "manifest_object = 'artifacts/m', manifest_digest = '\\x00'", "epoch = 0", "version = 0", "redrives = -1",
        "grants_left = -1", "open_tasks = 2, total_tasks = 1", "open_tasks = -1", "total_tasks = -1", "priority = 0",
        "priority = 10", "kind = 'Import'", "account = '12345678901'", "resource = ''", "resource = repeat('r', 2049)",
        "specification = convert_to(repeat('s', 262145), 'UTF8')", "signature = ''",
        "signature = convert_to(repeat('s', 1025), 'UTF8')", "source_address = repeat('1', 257)",
        "user_agent = repeat('u', 1025)", "message = repeat('m', 2049)", "traceparent = '00-1-2-03'",
    ]

    private static let ofTasks = [
        "state = 'lost'", "role = 'rest'", "role = 'commit'", "priority = 0", "priority = 10", "state = 'running'",
        "state = 'running', lease_until = now(), worker = 'w', fence = 0", "lease_until = now()", "state = 'done'",
        "finished_at = now()", "version = 0", "epoch = 0", "ordinal = -1", "fence = -1", "attempts = -1", "losses = -1",
        "failures = -1", "expected_bytes = -1", "chunks = -1", "bytes = -1", "rows = -1", "last_error = repeat('e', 2049)",
    ]

    @Test func jobs() async throws {
        try await refuses(Self.ofJobs, of: "job", allows: "message = 'm', epoch = epoch + 1")
    }

    @Test func tasks() async throws {
        try await refuses(
            Self.ofTasks, of: "job_task", allows: "state = 'running', lease_until = now(), worker = 'w', fence = 1")
    }

    private func refuses(_ changes: [String], of table: String, allows sound: String) async throws {
        try await TestWorld.with { world in
            _ = try await world.accept()
            for change in changes {
                let error = await #expect(throws: PostgresError.self, "\(change)") {
                    try await world.pool.execute("UPDATE \(raw: table) SET \(raw: change)")
                }
                #expect(error?.sqlState == SQLState.checkViolation.rawValue, "\(change)")
            }
            #expect(try await world.pool.execute("UPDATE \(raw: table) SET \(raw: sound)") == 1)
        }
    }
}
