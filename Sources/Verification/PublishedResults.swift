import AWSProtocol
import Crypto
import Foundation
import ObjectStore
import Postgres

/// I2: a resource has one published result at most, and every published object is there, as long and with the digest that
/// PostgreSQL pins. Needs no key: what is pinned is the sealed object.
package struct PublishedResults: Invariant {
    package let name = "I2"
    package let title = "one result a job, whole and as pinned"
    private static let page = 500

    package init() {}

    package func check(_ cluster: VerifiedCluster) async throws -> Finding {
        var finding = Finding()
        try await checkCatalog(cluster, &finding)
        var after = ""
        var objects = 0
        while true {
            let rows = try await cluster.jobs.query(
                """
                SELECT name, pin, manifest_digest FROM (
                    SELECT o.name, c.detail::text AS pin,
                           CASE WHEN o.name = j.manifest_object THEN encode(j.manifest_digest, 'hex') END AS manifest_digest
                    FROM job_object o JOIN job j ON j.id = o.job LEFT JOIN job_chunk c ON c.object = o.name
                    WHERE o.state = 'published'
                    UNION ALL
                    -- Of a job in the history the rows of chunks are gone: its manifest pins them.
                    SELECT o.name, NULL, encode(h.manifest_digest, 'hex')
                    FROM job_object o JOIN job_history h ON h.id = o.job AND h.manifest_object = o.name
                    WHERE o.state = 'published'
                ) AS published
                WHERE name > \(after) ORDER BY name LIMIT \(Self.page)
                """)
            for row in rows {
                after = try row.get("name")
                let pin = try row.get("pin", as: String?.self).map { try JSONValue.parse($0) }
                try await check(
                    after, length: pin?["messageBytes"]?.intValue,
                    digest: try row.get("manifest_digest", as: String?.self) ?? pin?["sha256"]?.stringValue, cluster, &finding)
            }
            objects += rows.count
            if rows.count < Self.page { break }
        }
        finding.count("published objects", objects)
        return finding
    }

    private func checkCatalog(_ cluster: VerifiedCluster, _ finding: inout Finding) async throws {
        let doubled = try await cluster.jobs.query(
            """
            SELECT resource, count(*) AS results FROM \(raw: VerifiedCluster.jobsAndHistory) j WHERE state = 'succeeded'
            GROUP BY resource, incarnation HAVING count(*) > 1
            """)
        for row in doubled {
            finding.violation("\(try row.get("resource", as: String.self)) has \(try row.get("results", as: Int.self)) results")
        }
        // Every chunk of a task once, without gaps, whoever sealed it.
        let gaps = try await cluster.jobs.query(
            """
            SELECT t.id::text AS task, count(c.*) AS found, t.chunks FROM job j
            JOIN job_task t ON t.job = j.id AND t.role = 'work' LEFT JOIN job_chunk c ON c.task = t.id
            WHERE j.state = 'succeeded' GROUP BY t.id, j.manifest_object
            HAVING count(c.*) <> t.chunks OR coalesce(max(c.ordinal) + 1, 0) <> count(c.*) OR t.state <> 'done'
                -- An export, which has no manifest, counts rows and makes no chunks.
                OR (coalesce(sum(c.rows), 0) <> t.rows AND (j.manifest_object IS NOT NULL OR t.chunks > 0))
            """)
        for row in gaps {
            finding.violation(
                "task \(try row.get("task", as: String.self)) succeeded with \(try row.get("found", as: Int.self)) chunks of "
                    + "\(try row.get("chunks", as: Int.self)), or rows that do not add up")
        }
        let contradicting = try await cluster.jobs.query(
            """
            SELECT r.arn FROM resources r JOIN \(raw: VerifiedCluster.jobsAndHistory) j ON j.id = r.job
            WHERE (r.status = 'ACTIVE' AND j.state <> 'succeeded')
               OR (j.state = 'succeeded' AND (r.manifest_object, r.manifest_digest) IS DISTINCT FROM (j.manifest_object, j.manifest_digest))
            """)
        for row in contradicting {
            finding.violation("\(try row.get("arn", as: String.self)): the catalog and its job tell of different results")
        }
        let results: Int =
            try await cluster.jobs.query(
                "SELECT count(*) AS results FROM job WHERE state = 'succeeded'"
            ).first?.get("results") ?? 0
        finding.count("results", results)
    }

    private func check(
        _ name: String, length: Int64?, digest: String?, _ cluster: VerifiedCluster, _ finding: inout Finding
    ) async throws {
        guard let found = try await ObjectDigest.of(name, in: cluster.artifacts) else {
            return finding.violation("\(name) is published and not in the store")
        }
        if let length, found.bytes != length { finding.violation("\(name) has \(found.bytes) bytes instead of \(length)") }
        guard let digest else { return finding.violation("\(name) is published and nothing pins it") }
        if found.sha256 != digest { finding.violation("\(name) is not the object that PostgreSQL pins") }
    }
}

/// Length and SHA-256 of an object, read piece by piece.
private struct ObjectDigest {
    private static let pieceBytes = 1 << 20

    let bytes: Int64
    let sha256: String

    /// Nil where there is no such object.
    static func of(_ name: String, in store: any ObjectStore) async throws -> ObjectDigest? {
        var hash = SHA256()
        var bytes: Int64 = 0
        do {
            let reader = try await store.reader(try ObjectKey(name))
            while true {
                let piece = try await reader.read(atMost: pieceBytes)
                if piece.isEmpty { break }
                hash.update(data: piece)
                bytes += Int64(piece.count)
            }
        } catch let error as ObjectStoreError where error.code == .notFound {
            return nil
        }
        return ObjectDigest(bytes: bytes, sha256: Hex.encode(hash.finalize()))
    }
}
