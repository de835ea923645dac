import AWSProtocol
import CLinux
import Foundation
package import ObjectStore
import Postgres

/// I6: texts planted in customers' data stand in no file and no row of the cluster.
package struct Canaries: Invariant {
    package let name = "I6"
    package let title = "no plaintext outside the workers' memory"

    package init() {}

    package func check(_ cluster: VerifiedCluster) async throws -> Finding {
        var finding = Finding()
        finding.count("canaries", cluster.canaries.count)
        guard !cluster.canaries.isEmpty else {
            finding.note("no canary was given")
            return finding
        }
        let search = TextSearch(cluster.canaries)
        var files = 0
        var bytes: Int64 = 0
        for root in cluster.searched {
            try search.files(below: root, except: cluster.notSearched) { path, found, size in
                files += 1
                bytes += size
                for canary in found { finding.violation("\(path) holds the canary \(canary)") }
            }
        }
        if cluster.searchesArtifacts {
            try await search.objects(of: cluster.artifacts) { key, found, size in
                files += 1
                bytes += size
                for canary in found { finding.violation("\(key) of the artifact store holds the canary \(canary)") }
            }
        }
        finding.count("files", files)
        finding.count("bytes", Int(bytes))
        var tables = 0
        for (database, pool) in [("jobs", cluster.jobs), ("authority", cluster.authority)] {
            guard let pool else { continue }
            tables += try await check(pool, database, cluster.canaries, &finding)
        }
        finding.count("tables", tables)
        return finding
    }

    /// Rows as the server writes them as text, so that what lies compressed in its files is seen too.
    private func check(
        _ pool: PostgresPool, _ database: String, _ canaries: [String], _ finding: inout Finding
    ) async throws -> Int {
        let tables: [String] = try await pool.query(
            """
            SELECT quote_ident(n.nspname) || '.' || quote_ident(c.relname) AS name FROM pg_class c
            JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE c.relkind = 'r' AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg_toast%'
            """
        ).map { try $0.get("name") }
        let hexadecimal = canaries.map { Hex.encode(Array($0.utf8)) }
        for table in tables {
            // The name comes from the catalog and is quoted by the server.
            let found: Int =
                try await pool.query(
                    """
                    SELECT count(*) AS found FROM \(raw: table) AS t
                    WHERE EXISTS (SELECT FROM unnest(\(canaries + hexadecimal)) AS c (text) WHERE strpos(t::text, c.text) > 0)
                    """
                ).first?.get("found") ?? 0
            if found > 0 { finding.violation("\(found) rows of \(database) \(table) hold a canary") }
        }
        return tables.count
    }
}

/// Looks for a few texts in many files, in pieces that overlap by the longest of them.
package struct TextSearch: Sendable {
    private static let pieceBytes = 4 << 20
    private let texts: [(text: String, bytes: Data)]
    private let overlap: Int

    package init(_ texts: [String]) {
        self.texts = texts.filter { !$0.isEmpty }.map { ($0, Data($0.utf8)) }
        overlap = max(0, (self.texts.map(\.bytes.count).max() ?? 1) - 1)
    }

    /// Calls `report` for every file that could be read: its path, the texts in it, its size.
    package func files(
        below root: String, except left: [String], _ report: (_ path: String, _ found: [String], _ bytes: Int64) -> Void
    ) throws {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: root, isDirectory: &isFolder) else { return }
        guard isFolder.boolValue else { return try file(root, report) }
        guard let files = FileManager.default.enumerator(atPath: root) else { return }
        for case let relative as String in files {
            let path = "\(root)/\(relative)"
            if left.contains(where: { path == $0 || path.hasPrefix($0 + "/") }) { continue }
            var status = stat()
            // Sockets and links are passed over, and what a busy cluster removed meanwhile.
            guard lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { continue }
            try file(path, report)
        }
    }

    private func file(_ path: String, _ report: (String, [String], Int64) -> Void) throws {
        guard let handle = FileHandle(forReadingAtPath: path) else { return }
        defer { try? handle.close() }
        var seen = Seen()
        while let piece = try handle.read(upToCount: Self.pieceBytes), !piece.isEmpty { look(at: piece, &seen) }
        report(path, seen.found.sorted(), seen.size)
    }

    /// Calls `report` for every object that could be read: its key, the texts in it, its size.
    package func objects(
        of store: any ObjectStore, _ report: (_ key: String, _ found: [String], _ bytes: Int64) -> Void
    ) async throws {
        var after: ObjectKey?
        while true {
            let page = try await store.list(prefix: .all, after: after, limit: ObjectStoreBounds.listKeys)
            for info in page {
                after = info.key
                var seen = Seen()
                do {
                    let reader = try await store.reader(info.key)
                    while true {
                        let piece = try await reader.read(atMost: Self.pieceBytes)
                        if piece.isEmpty { break }
                        look(at: Data(piece), &seen)
                    }
                } catch let error as ObjectStoreError where error.code == .notFound {
                    // A busy cluster removed it meanwhile.
                    continue
                }
                report(info.key.description, seen.found.sorted(), seen.size)
            }
            if page.count < ObjectStoreBounds.listKeys { return }
        }
    }

    /// What was found so far, and the end of what was looked at.
    private struct Seen {
        var found: Set<String> = []
        var size: Int64 = 0
        var rest = Data()
    }

    private func look(at piece: Data, _ seen: inout Seen) {
        seen.size += Int64(piece.count)
        let window = seen.rest + piece
        for (text, bytes) in texts where !seen.found.contains(text) && Self.contains(window, bytes) { seen.found.insert(text) }
        seen.rest = Data(window.suffix(overlap))
    }

    private static func contains(_ window: Data, _ bytes: Data) -> Bool {
        window.withUnsafeBytes { window in
            bytes.withUnsafeBytes { bytes in
                guard let start = window.baseAddress, let wanted = bytes.baseAddress else { return false }
                return clinux_contains(start, window.count, wanted, bytes.count) == 1
            }
        }
    }
}
