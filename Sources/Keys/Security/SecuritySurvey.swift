package import Postgres

package import struct FoundationEssentials.UUID

/// What database and vault say of each other, for `doctor`: read without a root key, and without changing anything.
package struct SecuritySurvey: Sendable {
    package let state: SecurityState
    /// The vault that the database is bound to.
    package let vault: UUID?
    package let verdict: SecurityVerdict
    package let rootKeys: [RootKeyVersion]
    /// Keys that are deleted, and whose shred secret not every replica has confirmed to be gone.
    package let deletionsPending: Int

    package static func take(_ replicas: [ReplicaReport], pool: PostgresPool) async throws -> SecuritySurvey {
        let noted = replicas.compactMap(\.noted).reduce(nil as SecurityState?) { $0?.merged(with: $1) ?? $1 }
        return try await pool.withConnection { connection in
            let (state, vault, _) = try await SecurityRows.read(on: connection)
            var verdict = SecurityVerdict.current
            if let noted {
                verdict = SecurityVerdict.compare(
                    noted: noted, database: state, unknown: try await SecurityRows.unknown(noted.heads, on: connection))
            }
            let pending = try await connection.query(
                "SELECT count(*) AS n FROM keys WHERE state = 'Deleted' AND shredded_at IS NULL")
            return SecuritySurvey(
                state: state, vault: vault, verdict: verdict, rootKeys: try await RootKeyRows.list(on: connection),
                deletionsPending: try pending.first?.get("n") ?? 0)
        }
    }
}
