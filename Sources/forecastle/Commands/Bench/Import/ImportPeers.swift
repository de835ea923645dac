import Foundation

/// Programs that read the same file and write it encrypted, where an interpreter has them.
struct ImportPeers: Sendable {
    let python: String?
    /// By name, for the record.
    let versions: [String: String]

    static func find(python: String?, folder: BenchFolder) async throws -> ImportPeers {
        guard let python else { return ImportPeers(python: nil, versions: [:]) }
        var versions: [String: String] = [:]
        for name in ["pyarrow", "duckdb"] {
            let output = folder.file("version")
            let process = MeasuredProcess(
                executable: python, arguments: ["-c", "import \(name); print('\(name)', \(name).__version__)"],
                output: .file(output), log: folder.file("log"))
            guard (try? await process.run()) != nil, let text = try? String(contentsOfFile: output, encoding: .utf8) else {
                continue
            }
            versions[name] = text.trimmingCharacters(in: .whitespacesAndNewlines)
        }
        guard !versions.isEmpty else { throw CommandFailure("\(python) has neither pyarrow nor duckdb.", MessageExit.noInput) }
        return ImportPeers(python: python, versions: versions)
    }

    /// Each with the interpreter's start and its imports, which take some tenths of a second.
    func cases(input: String, bytes: Int, folder: BenchFolder) -> [BenchCase] {
        guard let python else { return [] }
        func one(_ name: String, _ title: String, _ program: String, _ mode: String) -> BenchCase {
            BenchCase(name: name, title: title) {
                defer { folder.remove("peer.parquet") }
                return try await MeasuredProcess(
                    executable: python, arguments: ["-c", program, input, folder.file("peer.parquet"), mode],
                    log: folder.file("log")
                ).run().sample(bytes: bytes)
            }
        }
        var cases: [BenchCase] = []
        if versions["pyarrow"] != nil {
            cases.append(one("import.pyarrow", "pyarrow to encrypted Parquet, no aggregation", Self.pyarrow, "copy"))
        }
        if versions["duckdb"] != nil {
            cases.append(one("import.duckdb", "DuckDB to encrypted Parquet, no aggregation", Self.duckdb, "copy"))
            cases.append(one("import.duckdb-group", "DuckDB with GROUP BY", Self.duckdb, "group"))
        }
        return cases
    }

    private static let pyarrow = """
        import base64, os, sys
        import pyarrow as pa, pyarrow.csv as csv, pyarrow.parquet as pq, pyarrow.parquet.encryption as pe
        class Kms(pe.KmsClient):
            def __init__(self, connection):
                pe.KmsClient.__init__(self)
            def wrap_key(self, key, name):
                return base64.b64encode(key)
            def unwrap_key(self, wrapped, name):
                return base64.b64decode(wrapped)
        factory = pe.CryptoFactory(lambda connection: Kms(connection))
        columns = ["item_id", "timestamp", "target_value"]
        properties = factory.file_encryption_properties(
            pe.KmsConnectionConfig(),
            pe.EncryptionConfiguration(footer_key="k", column_keys={"k": columns}, encryption_algorithm="AES_GCM_V1"))
        reader = csv.open_csv(
            sys.argv[1], read_options=csv.ReadOptions(column_names=columns, block_size=8 << 20),
            convert_options=csv.ConvertOptions(
                column_types={"item_id": pa.string(), "timestamp": pa.timestamp("s"), "target_value": pa.float64()}))
        with pq.ParquetWriter(sys.argv[2], reader.schema, encryption_properties=properties) as writer:
            for batch in reader:
                writer.write_batch(batch)
        """

    private static let duckdb = """
        import sys, duckdb
        connection = duckdb.connect()
        try:
            # Newer ones encrypt by OpenSSL of an extension that has to be fetched; what they carry themselves is asked for by this name.
            connection.execute("SET force_mbedtls_unsafe = 'true'")
        except duckdb.Error:
            pass
        connection.execute("PRAGMA add_parquet_key('k', '0123456789abcdef0123456789abcdef')")
        source = f"read_csv('{sys.argv[1]}', header=false, columns={{'item_id': 'VARCHAR', 'ts': 'TIMESTAMP', 'value': 'DOUBLE'}})"
        query = f"SELECT * FROM {source}" if sys.argv[3] == "copy" else \\
            f"SELECT item_id, date_trunc('day', ts) AS day, sum(value) AS value FROM {source} GROUP BY ALL ORDER BY ALL"
        connection.execute(f"COPY ({query}) TO '{sys.argv[2]}' (FORMAT parquet, ENCRYPTION_CONFIG {{footer_key: 'k'}})")
        """
}
