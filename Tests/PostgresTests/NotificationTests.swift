import Postgres
import PostgresTesting
import Testing

@Suite(.enabled(if: TestDatabase.isAvailable))
struct NotificationTests {
    @Test(.timeLimit(.minutes(5)))
    func notificationsComeAlsoAfterTheSessionWasKilled() async throws {
        try await TestDatabase.with(migrations: nil) { pool in
            var heard = pool.notifications(on: "odd \"channel").makeAsyncIterator()
            #expect(await heard.next()?.payload == "")
            try await pool.query("SELECT pg_notify('odd \"channel', 'one')")
            #expect(await heard.next()?.payload == "one")
            let killed = try await pool.query(
                """
                SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
                WHERE datname = current_database() AND query LIKE 'LISTEN%'
                """)
            #expect(killed.count == 1)
            // Listening again: what was sent in between may have been missed.
            #expect(await heard.next()?.payload == "")
            try await pool.query("SELECT pg_notify('odd \"channel', 'two')")
            #expect(await heard.next()?.payload == "two")
        }
    }

    @Test(.timeLimit(.minutes(5)))
    func closingThePoolEndsTheStream() async throws {
        try await TestDatabase.withDatabase(migrations: nil) { database in
            let pool = database.anotherPool()
            var heard = pool.notifications(on: "c").makeAsyncIterator()
            #expect(await heard.next() != nil)
            pool.close()
            #expect(await heard.next() == nil)
        }
    }

    @Test(.timeLimit(.minutes(5)))
    func endingTheStreamEndsTheSession() async throws {
        try await TestDatabase.with(migrations: nil) { pool in
            let listening = Task {
                for await _ in pool.notifications(on: "c") {}
            }
            let listeners: PostgresQuery = """
                SELECT FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%'
                """
            try await eventually("a listening session") { try await !pool.query(listeners).isEmpty }
            listening.cancel()
            try await eventually("no listening session") { try await pool.query(listeners).isEmpty }
        }
    }
}
