package import Postgres

/// How often each scope has changed, as the authority's database counts it; 0 for one that never did.
package typealias ScopeVersions = [Scope: Int64]

extension PostgresConnection {
    /// The versions as they are now.
    ///
    /// To be read before the data that a cache is to keep under them: a change in between makes the entry look older than it is,
    /// which costs a decision made again; the other order would make it look newer, which costs a revocation.
    package func securityVersions(of scopes: some Sequence<Scope>) async throws -> ScopeVersions {
        let scopes = Set(scopes)
        return try ScopeVersions(rows: try await query(.securityVersions(of: scopes)), asked: scopes)
    }
}

extension PostgresQuery {
    /// What the own transaction has changed counts as unchanged: nobody's decision is outdated by its own effect.
    package static func securityVersions(of scopes: Set<Scope>) -> PostgresQuery {
        """
        SELECT scope, version - CASE WHEN changed_by = security_transaction() THEN 1 ELSE 0 END AS version
        FROM security_versions WHERE scope = ANY (\(scopes.map(\.name)))
        """
    }
}

extension ScopeVersions {
    /// The answer to `securityVersions(of:)`.
    package init(rows: [PostgresRow], asked: Set<Scope>) throws {
        self.init(uniqueKeysWithValues: asked.map { ($0, 0) })
        for row in rows { self[Scope(name: try row.get("scope"))] = try row.get("version") }
    }
}
