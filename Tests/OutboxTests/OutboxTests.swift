import Outbox
import Postgres
import PostgresTesting
import ServiceTesting
import Testing

private struct Undone: Error {}

@Suite(.enabled(if: TestDatabase.isAvailable))
struct OutboxTests {
    @Test func whatIsRolledBackIsNeverThere() async throws {
        try await TestDatabase.with(migrations: .jobs) { pool in
            await #expect(throws: Undone.self) {
                try await pool.transaction { connection in
                    try await Outbox.append(topic: "t", payload: [1], on: connection)
                    throw Undone()
                }
            }
            #expect(try await rowCount(pool) == 0)
            try await append("kept", on: pool)
            #expect(try await rowCount(pool) == 1)
        }
    }

    @Test func boundsAreKeptByTheCallAndByTheTable() async throws {
        try await TestDatabase.with(migrations: .jobs) { pool in
            func append(_ topic: String = "t", key: Int = 0, payload: Int = 0) async -> OutboxError.Code? {
                do {
                    try await pool.transaction { connection in
                        try await Outbox.append(
                            topic: topic, key: [UInt8](repeating: 1, count: key),
                            payload: [UInt8](repeating: 2, count: payload), on: connection)
                    }
                    return nil
                } catch {
                    return (error as? OutboxError)?.code
                }
            }
            #expect(await append(payload: Outbox.payloadBytes - 1) == nil)
            #expect(await append(payload: Outbox.payloadBytes) == nil)
            #expect(await append(payload: Outbox.payloadBytes + 1) == .payload)
            #expect(await append(key: Outbox.keyBytes) == nil)
            #expect(await append(key: Outbox.keyBytes + 1) == .key)
            #expect(await append("bad topic") == .topic)
            let rows = try await rowCount(pool)
            #expect(rows == 3)
            for statement: PostgresQuery in [
                "INSERT INTO outbox (topic, payload) VALUES ('bad topic', '')",
                "INSERT INTO outbox (topic, payload) VALUES ('t', convert_to(repeat('x', 65537), 'UTF8'))",
                "INSERT INTO outbox (topic, key, payload) VALUES ('t', convert_to(repeat('x', 1025), 'UTF8'), '')",
            ] {
                let error = await #expect(throws: PostgresError.self) { try await pool.execute(statement) }
                #expect(error?.sqlState == "23514")
            }
        }
    }
}

@Test(arguments: ["", "a b", "a/b", ".", "..", "ü", String(repeating: "t", count: 250)])
func topicIsRefused(_ name: String) {
    #expect(throws: OutboxError.self) { try TopicName(name) }
}

@Test func topicsOfTheSystem() throws {
    #expect(try TopicName.jobs(prefix: "forecastle", kind: "import").name == "forecastle.jobs.import")
    #expect(try TopicName.control(prefix: "forecastle").name == "forecastle.control")
    #expect(try TopicName(String(repeating: "t", count: 249)).name.utf8.count == 249)
}
