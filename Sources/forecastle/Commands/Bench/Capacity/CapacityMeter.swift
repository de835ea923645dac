import Foundation
import Postgres

/// What a cluster has used so far of the things that run out.
struct CapacityReading: Sendable {
    var at = ContinuousClock.now
    var transactions = 0.0
    var walBytes = 0.0
    var auditRecords = 0.0
    var messages = 0.0
    var objects = 0.0
    var objectBytes = 0.0

    /// In the order of the table; all of them counts that only grow.
    static let kinds: [(name: String, title: String, value: @Sendable (CapacityReading) -> Double)] = [
        ("transactions", "PostgreSQL transactions", { $0.transactions }), ("walBytes", "WAL bytes", { $0.walBytes }),
        ("auditRecords", "calls of the authority (audit records)", { $0.auditRecords }),
        ("messages", "Kafka messages", { $0.messages }), ("objects", "objects written", { $0.objects }),
        ("objectBytes", "bytes of objects", { $0.objectBytes }),
    ]
}

/// Reads them from the databases and the store; its own statements are a few in each reading.
struct CapacityMeter: Sendable {
    let bench: BenchCluster
    let authority: PostgresPool
    let superuser: PostgresPool

    func read() async throws -> CapacityReading {
        // The statistics of a session are seen by others a second after its last transaction.
        try await Task.sleep(for: .milliseconds(1200))
        let row = try await superuser.query(
            """
            SELECT (SELECT sum(xact_commit + xact_rollback)::bigint FROM pg_stat_database
                    WHERE datname IN ('forecastle_jobs', 'forecastle_authority')) AS transactions,
                   (pg_current_wal_insert_lsn() - '0/0'::pg_lsn)::bigint AS wal
            """
        ).first
        var reading = CapacityReading()
        reading.transactions = Double(try row?.get("transactions", as: Int.self) ?? 0)
        reading.walBytes = Double(try row?.get("wal", as: Int.self) ?? 0)
        reading.auditRecords = Double(try await count(authority, "SELECT coalesce(max(position), 0) AS n FROM audit_records"))
        // Numbered in their order, however soon they are gone.
        reading.messages = Double(
            try await count(
                bench.jobs, "SELECT coalesce(pg_sequence_last_value(pg_get_serial_sequence('outbox', 'id')), 0) AS n"))
        let (objects, bytes) = sizes()
        (reading.objects, reading.objectBytes) = (Double(objects), Double(bytes))
        return reading
    }

    private func count(_ pool: PostgresPool, _ query: PostgresQuery) async throws -> Int {
        try await pool.query(query).first?.get("n") ?? 0
    }

    private func sizes() -> (count: Int, bytes: Int) {
        guard let files = FileManager.default.enumerator(atPath: bench.cluster.folder.artifacts) else { return (0, 0) }
        var (count, bytes) = (0, 0)
        for case _ as String in files where files.fileAttributes?[.type] as? FileAttributeType == .typeRegular {
            count += 1
            bytes += files.fileAttributes?[.size] as? Int ?? 0
        }
        return (count, bytes)
    }

    /// Sessions of a role's processes at PostgreSQL now.
    func connections(_ role: String) async throws -> Int {
        try await count(
            superuser,
            "SELECT count(*) AS n FROM pg_stat_activity WHERE application_name = \("forecastle " + role)")
    }

    /// Bytes on disk of one row with its indexes.
    func rowBytes(_ table: String, of pool: PostgresPool) async throws -> Double {
        let row = try await pool.query(
            """
            SELECT pg_total_relation_size(\(table)::regclass)::bigint AS bytes,
                   (SELECT count(*) FROM \(raw: table)) AS rows
            """
        ).first
        let rows = try row?.get("rows", as: Int.self) ?? 0
        return rows > 0 ? Double(try row?.get("bytes", as: Int.self) ?? 0) / Double(rows) : 0
    }
}
