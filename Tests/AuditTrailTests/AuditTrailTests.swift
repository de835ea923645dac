import AWSProtocol
import AuditTrail
import FoundationEssentials
import Postgres
import PostgresTesting
import Testing

@Suite(.enabled(if: TestDatabase.isAvailable)) struct AuditTrailTests {
    private func withTrail(_ body: (PostgresPool, AuditTrail) async throws -> Void) async throws {
        try await TestDatabase.with(migrations: .authority) { pool in
            try await body(pool, try await AuditTrail.open(pool: pool, logger: TestDatabase.logger))
        }
    }

    private func count(_ pool: PostgresPool) async throws -> Int {
        try await pool.query("SELECT count(*) AS n FROM audit_records").first!.get("n")
    }

    @Test func recordsOfConcurrentCallersFormOneChainWithoutGaps() async throws {
        try await withTrail { pool, trail in
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                for _ in 0..<40 { tasks.addTask { try await trail.record(sampleRecord("Decrypt")) } }
                for _ in 0..<10 {
                    tasks.addTask {
                        try await pool.transaction {
                            try await trail.append(sampleRecord("CreateGrant", readOnly: false), on: $0)
                        }
                    }
                }
                try await tasks.waitForAll()
            }
            #expect(try await AuditTrail.verifyChain(of: trail.shard, pool: pool) == .intact(records: 50))
        }
    }

    @Test func aRolledBackMutationLeavesNoRecordAndNoGap() async throws {
        struct Failed: Error {}
        try await withTrail { pool, trail in
            await #expect(throws: Failed.self) {
                try await pool.transaction {
                    try await trail.append(sampleRecord("CreateGrant"), on: $0)
                    throw Failed()
                }
            }
            try await trail.record(sampleRecord("Decrypt"))
            #expect(try await AuditTrail.verifyChain(of: trail.shard, pool: pool) == .intact(records: 1))
        }
    }

    @Test(arguments: [
        "UPDATE audit_records SET event_name = 'x'", "DELETE FROM audit_records", "TRUNCATE audit_records CASCADE",
        "DELETE FROM audit_shards", "UPDATE audit_shards SET sequence = sequence - 1",
    ])
    func theTableRefusesEveryChange(_ statement: String) async throws {
        try await withTrail { pool, trail in
            try await trail.record(sampleRecord())
            let error = await #expect(throws: PostgresError.self) { try await pool.execute("\(raw: statement)") }
            #expect(error?.sqlState == "23001")
            #expect(try await count(pool) == 1)
        }
    }

    @Test func verificationNamesTheFirstRecordThatWasEdited() async throws {
        try await withTrail { pool, trail in
            for _ in 0..<5 { try await trail.record(sampleRecord()) }
            // As a superuser who switches the guards off.
            try await pool.execute("ALTER TABLE audit_records DISABLE TRIGGER USER")
            try await pool.execute(
                "UPDATE audit_records SET record = replace(record, 'Decrypt', 'decrypt') || ' ' WHERE sequence = 3")
            #expect(try await AuditTrail.verifyChain(of: trail.shard, pool: pool) == .broken(sequence: 3))
        }
    }

    @Test func verificationFindsThatTheEndWasCutOff() async throws {
        try await withTrail { pool, trail in
            for _ in 0..<5 { try await trail.record(sampleRecord()) }
            try await pool.execute("ALTER TABLE audit_records DISABLE TRIGGER USER")
            try await pool.execute("DELETE FROM audit_records WHERE sequence > 3")
            #expect(try await AuditTrail.verifyChain(of: trail.shard, pool: pool) == .headDiffers(sequence: 5))
        }
    }

    @Test func aTrailWhoseShardIsGoneRefusesToRecord() async throws {
        try await withTrail { pool, trail in
            try await pool.execute("ALTER TABLE audit_shards DISABLE TRIGGER USER")
            try await pool.execute("DELETE FROM audit_shards")
            let error = await #expect(throws: AuditError.self) { try await trail.record(sampleRecord()) }
            #expect(error?.code == .unknownShard)
        }
    }
}
