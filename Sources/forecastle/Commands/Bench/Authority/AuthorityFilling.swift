import Logging
import Postgres

/// Rows that make a database look like one after years, written by SQL: grants on one key, other keys, audit records.
///
/// They have the form that the program writes, but mean nothing: no material opens and no hash fits its record.
struct AuthorityFilling: Sendable {
    /// Under the bound, so that the benchmark's own grants have room.
    static let grantsMax = 49_000
    static let keysMax = 95_000

    let grants: Int
    let keys: Int
    let records: Int
    private static let batch = 10_000

    var isEmpty: Bool { grants + keys + records == 0 }

    func fill(_ pool: PostgresPool, key: String, role: String, progress: (_ what: String) -> Void) async throws {
        try await inBatches(of: grants) { from, to in
            progress("grants \(to)/\(grants)")
            return """
                INSERT INTO key_grants (grant_id, key_id, grantee, issuing_account, creator, creator_id, operations, fingerprint)
                SELECT encode(sha256(n::text::bytea), 'hex'), k.key_id, \(role) || '/filling/' || n, \(EmbeddedCluster.customer),
                       \(role), 'AROAAAAAAAAAAAAAAAAAA', '{Decrypt,GenerateDataKey}', sha256(n::text::bytea)
                FROM keys k, generate_series(\(from)::int, \(to)::int) AS n WHERE k.arn = \(key)
                """
        }
        try await inBatches(of: keys) { from, to in
            progress("keys \(to)/\(keys)")
            return """
                INSERT INTO keys (key_id, account, arn, description, state, policy, current_material)
                SELECT gen_random_uuid(), k.account, 'arn:aws:kms:us-west-2:' || k.account || ':key/filling-' || n, '', 'Enabled',
                       k.policy, sha256(n::text::bytea)
                FROM keys k, generate_series(\(from)::int, \(to)::int) AS n WHERE k.arn = \(key)
                """
        }
        guard records > 0 else { return try await settle(pool) }
        try await pool.execute(
            "INSERT INTO audit_shards (shard, sequence, hash) VALUES ('00000000-0000-4000-8000-000000000000', 0, sha256(''))")
        try await inBatches(of: records) { from, to in
            progress("audit records \(to)/\(records)")
            return """
                INSERT INTO audit_records (
                    shard, sequence, previous_hash, hash, account, event_id, event_time, event_source, event_name, username,
                    access_key_id, read_only, resource_types, resource_names, record)
                SELECT '00000000-0000-4000-8000-000000000000', n, sha256((n - 1)::text::bytea), sha256(n::text::bytea),
                       \(EmbeddedCluster.customer), gen_random_uuid(), date_trunc('second', now()) - make_interval(secs => n / 10),
                       'kms.amazonaws.com', 'GenerateDataKey', 'admin', 'AKIAAAAAAAAAAAAAAAAA', true, '{AWS::KMS::Key}',
                       ARRAY[\(key)], repeat('{"filling": true}', 60)
                FROM generate_series(\(from)::int, \(to)::int) AS n
                """
        }
        try await settle(pool)

        func inBatches(of count: Int, _ statement: (Int, Int) -> PostgresQuery) async throws {
            var done = 0
            while done < count {
                let next = min(count, done + Self.batch)
                let query = statement(done + 1, next)
                try await pool.execute(query)
                done = next
            }
        }
    }

    private func settle(_ pool: PostgresPool) async throws {
        for table in ["key_grants", "keys", "audit_records"] { try await pool.execute("ANALYZE \(raw: table)") }
    }
}
