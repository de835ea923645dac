import AuditTrail
import Crypto
import FoundationEssentials
import Postgres
import PostgresTesting
import Testing

/// Fault 24: what a superuser can do to the trail, and what finds it.
@Suite(.enabled(if: TestDatabase.isAvailable)) struct TamperingTests {
    /// A trail of ten records whose head was exported after five and after ten, its guards switched off, as a superuser can.
    private func withTrail(_ body: (PostgresPool, AuditTrail, HeadsFolder) async throws -> Void) async throws {
        try await TestDatabase.with(migrations: .authority) { pool in
            try await HeadsFolder.with { folder in
                let trail = try await AuditTrail.open(pool: pool, logger: TestDatabase.logger)
                let exporter = folder.exporter(pool)
                for number in 1...10 {
                    try await trail.record(sampleRecord("Decrypt", at: sampleTime.addingTimeInterval(Double(number))))
                    if number.isMultiple(of: 5) { await exporter.pass() }
                }
                #expect(try await AuditTrail.verify(pool: pool, evidence: folder.read()).findings == [])
                try await pool.execute("ALTER TABLE audit_records DISABLE TRIGGER USER")
                try await pool.execute("ALTER TABLE audit_shards DISABLE TRIGGER USER")
                try await body(pool, trail, folder)
            }
        }
    }

    /// The only finding, and that the chains alone would, or would not, have shown something.
    private func finding(
        _ pool: PostgresPool, _ folder: HeadsFolder, seenWithoutHeads: Bool
    ) async throws -> AuditFinding {
        let alone = try await AuditTrail.verify(pool: pool, evidence: nil)
        #expect(alone.isIntact != seenWithoutHeads)
        let report = try await AuditTrail.verify(pool: pool, evidence: folder.read())
        #expect(report.findings.count == 1)
        return try #require(report.findings.first)
    }

    @Test func anEditedRecordIsNamed() async throws {
        try await withTrail { pool, _, folder in
            try await pool.execute(
                "UPDATE audit_records SET record = replace(record, '172.12.34.56', '10.0.0.1') WHERE sequence = 4")
            let finding = try await finding(pool, folder, seenWithoutHeads: true)
            #expect(finding.kind == .edited && finding.sequence == 4)
            let id: UUID = try await pool.query("SELECT event_id FROM audit_records WHERE sequence = 4").first!.get("event_id")
            #expect(finding.eventID == id)
        }
    }

    @Test func anEditedColumnIsNamed() async throws {
        let columns = [
            "account = '444455556666'", "event_name = 'Encrypt'", "event_time = event_time - interval '91 days'",
            "event_source = 'x'", "username = NULL", "access_key_id = 'x'", "read_only = false",
            "resource_names = '{a,b}'", "resource_types = '{a,b}'", "event_id = gen_random_uuid()",
        ]
        try await withTrail { pool, _, folder in
            for column in columns {
                try await pool.execute("UPDATE audit_records SET \(raw: column) WHERE sequence = 6")
                let finding = try await finding(pool, folder, seenWithoutHeads: true)
                #expect(finding.kind == .columnsDiffer && finding.sequence == 6)
                #expect(finding.message.contains(column.prefix { $0 != " " }))
                // Back to what the record says.
                try await pool.execute(
                    """
                    UPDATE audit_records r SET account = o.account, event_name = o.event_name, event_time = o.event_time + interval '1 s',
                        event_source = o.event_source, username = o.username, access_key_id = o.access_key_id,
                        read_only = o.read_only, resource_names = o.resource_names, resource_types = o.resource_types,
                        event_id = (r.record::json ->> 'eventID')::uuid
                    FROM audit_records o WHERE r.sequence = 6 AND o.sequence = 5
                    """)
            }
        }
    }

    @Test func aDeletedRecordIsNamed() async throws {
        try await withTrail { pool, _, folder in
            try await pool.execute("DELETE FROM audit_records WHERE sequence = 7")
            let finding = try await finding(pool, folder, seenWithoutHeads: true)
            #expect(finding.kind == .missing && finding.sequence == 7)
        }
    }

    @Test func exchangedRecordsAreNamed() async throws {
        try await withTrail { pool, _, folder in
            try await pool.execute("UPDATE audit_records SET sequence = sequence + 100 WHERE sequence IN (3, 8)")
            try await pool.execute(
                "UPDATE audit_records SET sequence = CASE sequence WHEN 103 THEN 8 ELSE 3 END WHERE sequence > 100")
            let finding = try await finding(pool, folder, seenWithoutHeads: true)
            #expect(finding.kind == .displaced && finding.sequence == 3)
        }
    }

    @Test func aCutOffEndIsNamed() async throws {
        try await withTrail { pool, _, folder in
            try await pool.execute("DELETE FROM audit_records WHERE sequence > 8")
            let finding = try await finding(pool, folder, seenWithoutHeads: true)
            #expect(finding.kind == .tailMissing && finding.sequence == 9)
        }
    }

    @Test func anEndCutOffTogetherWithItsHeadIsFoundByTheExportedHeads() async throws {
        try await withTrail { pool, trail, folder in
            try await pool.execute("DELETE FROM audit_records WHERE sequence > 8")
            try await pool.execute(
                "UPDATE audit_shards SET sequence = 8, hash = (SELECT hash FROM audit_records WHERE sequence = 8)")
            let finding = try await finding(pool, folder, seenWithoutHeads: false)
            #expect(finding.kind == .behindExport && finding.sequence == 9 && finding.shard == trail.shard)
        }
    }

    @Test func aHeadMovedBackAloneIsFound() async throws {
        try await withTrail { pool, _, folder in
            try await pool.execute(
                "UPDATE audit_shards SET sequence = 8, hash = (SELECT hash FROM audit_records WHERE sequence = 8)")
            let finding = try await finding(pool, folder, seenWithoutHeads: true)
            #expect(finding.kind == .headDiffers && finding.sequence == 9)
        }
    }

    /// The work of somebody who knows the format: an altered record and every hash after it anew.
    @Test func aRewrittenChainIsFoundByTheExportedHeads() async throws {
        try await withTrail { pool, trail, folder in
            var chain = HashChain(shard: trail.shard)
            for row in try await pool.query("SELECT sequence, record FROM audit_records ORDER BY sequence") {
                let sequence: Int64 = try row.get("sequence")
                var text: String = try row.get("record")
                if sequence == 7 { text = text.replacing("172.12.34.56", with: "10.0.0.1") }
                let previous = chain.hash
                chain.extend(with: text)
                try await pool.execute(
                    "UPDATE audit_records SET record = \(text), previous_hash = \(previous), hash = \(chain.hash) WHERE sequence = \(sequence)"
                )
            }
            try await pool.execute("UPDATE audit_shards SET hash = \(chain.hash)")
            let finding = try await finding(pool, folder, seenWithoutHeads: false)
            // Between the head that still fits and the one that does not.
            #expect(finding.kind == .rewritten && finding.sequence == 6 && finding.message.contains("up to 10"))
        }
    }

    @Test func aRemovedShardIsFoundByTheExportedHeads() async throws {
        try await withTrail { pool, trail, folder in
            try await pool.execute("DELETE FROM audit_records")
            try await pool.execute("DELETE FROM audit_shards")
            let finding = try await finding(pool, folder, seenWithoutHeads: false)
            #expect(finding.kind == .shardRemoved && finding.shard == trail.shard)
        }
    }

    @Test func recordsWhoseHeadIsGoneAreFound() async throws {
        try await withTrail { pool, trail, folder in
            try await pool.execute("DELETE FROM audit_shards")
            let report = try await AuditTrail.verify(pool: pool, evidence: nil)
            #expect(report.findings.map(\.kind) == [.headMissing] && report.findings[0].shard == trail.shard)
        }
    }

    @Test func yesterdaysBackupIsFoundAndCanBeAccepted() async throws {
        try await withTrail { pool, trail, folder in
            let backedUp = Date()
            for table in ["audit_shards", "audit_records"] {
                try await pool.execute("CREATE TABLE backup_\(raw: table) AS TABLE \(raw: table)")
            }
            let exporter = folder.exporter(pool)
            try await trail.record(sampleRecord())
            let later = try await AuditTrail.open(pool: pool, logger: TestDatabase.logger)
            try await later.record([sampleRecord(), sampleRecord()])
            await exporter.pass()
            #expect(try await AuditTrail.missing(of: folder.read().newest, pool: pool) == [])

            try await pool.execute("TRUNCATE audit_shards, audit_records")
            try await pool.execute("INSERT INTO audit_shards SELECT * FROM backup_audit_shards")
            try await pool.execute("INSERT INTO audit_records OVERRIDING SYSTEM VALUE SELECT * FROM backup_audit_records")
            #expect(try await AuditTrail.verify(pool: pool, evidence: nil).isIntact)
            let evidence = try await folder.read()
            let report = try await AuditTrail.verify(pool: pool, evidence: evidence)
            #expect(Set(report.findings.map(\.kind)) == [.behindExport, .shardRemoved])
            let time = try #require(report.rolledBackTo)
            // Lines tell the time to the millisecond.
            #expect(time.timeIntervalSince(backedUp) > -0.01 && time <= Date())
            #expect(
                Set(try await AuditTrail.missing(of: evidence.newest, pool: pool).map(\.shard)) == [trail.shard, later.shard])
            let gone = await #expect(throws: AuditError.self) { try await later.record(sampleRecord()) }
            #expect(gone?.code == .unknownShard)

            _ = try await HeadsExporter.accept(pool: pool, directory: folder.path, signer: folder.signer)
            let accepted = try await AuditTrail.verify(pool: pool, evidence: folder.read())
            #expect(accepted.isIntact)
            #expect(Set(accepted.losses.map(\.head.shard)) == [trail.shard, later.shard])
            #expect(Set(accepted.losses.map(\.head.sequence)) == [11, 2])
        }
    }

    @Test func aForgedAcceptanceIsNone() async throws {
        try await withTrail { pool, _, folder in
            try await pool.execute("DELETE FROM audit_records")
            try await pool.execute("DELETE FROM audit_shards")
            let stranger = HeadSigner(privateKey: Curve25519.Signing.PrivateKey())
            _ = try await HeadsExporter.accept(pool: pool, directory: folder.path, signer: stranger)
            let report = try await AuditTrail.verify(pool: pool, evidence: folder.read())
            #expect(Set(report.findings.map(\.kind)) == [.exportAltered, .shardRemoved])
        }
    }
}
