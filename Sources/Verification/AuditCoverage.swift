import AWSProtocol
import AuditTrail
import Foundation
import Postgres

/// I5: the chains of the trail verify, and every effect on a key is in it.
package struct AuditCoverage: Invariant {
    package let name = "I5"
    package let title = "the trail is whole and has every effect"
    private static let page = 1000

    package init() {}

    package func check(_ cluster: VerifiedCluster) async throws -> Finding {
        var finding = Finding()
        guard let authority = cluster.authority else {
            finding.note("the trail is at another server and was not read")
            return finding
        }
        // What the jobs database knows first: its effects were in the trail before it heard of them.
        let grants = try await cluster.jobs.query("SELECT grant_id, state FROM job_grant WHERE grant_id IS NOT NULL").map {
            (id: try $0.get("grant_id", as: String.self), isRetired: try $0.get("state", as: String.self) == "retired")
        }
        let chunks = try await cluster.jobs.query(
            """
            SELECT c.object, c.detail::text AS pin FROM job_chunk c JOIN job_object o ON o.name = c.object
            WHERE o.state = 'published'
            """
        ).map { (object: try $0.get("object", as: String.self), pin: try JSONValue.parse(try $0.get("pin", as: String.self))) }
        try await verifyChains(authority, &finding)

        let created = try await ids("CreateGrant", "responseElements", authority)
        let ended = try await ids("RetireGrant", "additionalEventData", authority).union(
            try await ids("RevokeGrant", "requestParameters", authority))
        // The grants of a deleted key went with it.
        let alive = Set(
            try await authority.query("SELECT grant_id FROM key_grants").map { try $0.get("grant_id", as: String.self) })
        let withKey = try await grantsOfDeletedKeys(authority)
        for grant in grants {
            if !created.contains(grant.id) { finding.violation("grant \(grant.id) has no CreateGrant in the trail") }
            guard grant.isRetired, !ended.contains(grant.id) else { continue }
            if alive.contains(grant.id) {
                finding.violation("grant \(grant.id) is called retired and is alive")
            } else if !withKey.contains(grant.id) {
                finding.violation("grant \(grant.id) has no RetireGrant or RevokeGrant in the trail")
            }
        }
        finding.count("grants", grants.count)

        let sealed = try await contexts(authority)
        for chunk in chunks {
            guard let context = chunk.pin["context"]?.objectValue else {
                finding.violation("\(chunk.object) has no context")
                continue
            }
            if !sealed.contains(Self.key(context)) {
                finding.violation("\(chunk.object) was published and no GenerateDataKey has its context")
            }
        }
        finding.count("published chunks", chunks.count)
        return finding
    }

    private func verifyChains(_ authority: PostgresPool, _ finding: inout Finding) async throws {
        var records: Int64 = 0
        let shards: [UUID] = try await authority.query("SELECT shard FROM audit_shards").map { try $0.get("shard") }
        for shard in shards {
            switch try await AuditTrail.verifyChain(of: shard, pool: authority) {
            case .intact(let count): records += count
            case .broken(let sequence): finding.violation("shard \(shard.uuidString.lowercased()) breaks at record \(sequence)")
            case .headDiffers(let sequence):
                finding.violation("shard \(shard.uuidString.lowercased()) was cut off before record \(sequence)")
            case .unknownShard: finding.violation("shard \(shard.uuidString.lowercased()) is gone")
            }
        }
        finding.count("shards", shards.count)
        finding.count("records", Int(records))
    }

    /// Grant ids in the named part of all records of an event that took effect.
    private func ids(_ event: String, _ part: String, _ authority: PostgresPool) async throws -> Set<String> {
        Set(
            try await authority.query(
                """
                SELECT record::jsonb #>> ARRAY[\(part)::text, 'grantId'] AS id FROM audit_records
                WHERE event_name = \(event) AND NOT record::jsonb ? 'errorCode'
                  AND record::jsonb #>> ARRAY[\(part)::text, 'grantId'] IS NOT NULL
                """
            ).map { try $0.get("id", as: String.self) })
    }

    private func grantsOfDeletedKeys(_ authority: PostgresPool) async throws -> Set<String> {
        Set(
            try await authority.query(
                """
                SELECT a.record::jsonb #>> '{responseElements,grantId}' AS id FROM audit_records a
                JOIN keys k ON k.arn = ANY (a.resource_names) AND k.state = 'Deleted'
                WHERE a.event_name = 'CreateGrant' AND a.record::jsonb #>> '{responseElements,grantId}' IS NOT NULL
                """
            ).map { try $0.get("id", as: String.self) })
    }

    private func contexts(_ authority: PostgresPool) async throws -> Set<String> {
        var found: Set<String> = []
        var after: Int64 = 0
        while true {
            let rows = try await authority.query(
                """
                SELECT position, record::jsonb #> '{requestParameters,encryptionContext}' AS context FROM audit_records
                WHERE event_name = 'GenerateDataKey' AND NOT record::jsonb ? 'errorCode' AND position > \(after)
                ORDER BY position LIMIT \(Self.page)
                """)
            for row in rows {
                after = try row.get("position")
                if let text = try row.get("context", as: PostgresJSON?.self)?.text,
                    let context = try JSONValue.parse(text).objectValue
                {
                    found.insert(Self.key(context))
                }
            }
            if rows.count < Self.page { return found }
        }
    }

    /// The same for the same pairs, whatever their order. What the SDK adds itself is no part of what a caller names.
    private static func key(_ context: JSONObject) -> String {
        context.map { ($0.key, $0.value.stringValue ?? "") }.filter { !$0.0.hasPrefix("aws-crypto-") }
            .sorted { $0.0 < $1.0 }.map { "\($0.0)=\($0.1)" }.joined(separator: "\n")
    }
}
