import AWSProtocol
import Accounts
import Postgres

extension RootKeyRotation {
    /// Seals everything anew that is not under `version` yet; answers how many rows it changed.
    package func resealAll(under version: Int, progress: (Int) async throws -> Void = { _ in }) async throws -> Int {
        var resealed = 0
        func count(_ rows: Int) async throws {
            resealed += rows
            try await progress(resealed)
        }
        try await resealMaterials(under: version, count)
        for column in AccountsStore.sealedColumns { try await reseal(column, under: version, count) }
        return resealed
    }

    private func resealMaterials(under version: Int, _ count: (Int) async throws -> Void) async throws {
        var after: (key: String, material: [UInt8]) = ("", [])
        while true {
            let rows = try await SealedRows.materials(
                under: version, after: after, limit: Self.rowsPerBatch, on: pool)
            var updates: [PostgresQuery] = []
            for row in rows {
                let key: String = try row.get("key_id")
                let material: [UInt8] = try row.get("material")
                let sealed: [UInt8] = try row.get("sealed")
                after = (key, material)
                guard let arn = ARN(try row.get("arn", as: String.self)) else {
                    throw KeyError.internal("A key in the database is malformed.")
                }
                do {
                    let fresh = try await vault.resealMaterial(
                        sealed, id: material, version: Int(try row.get("version", as: Int32.self)), of: arn, under: version)
                    updates.append(SealedRows.replaceMaterial(sealed, by: fresh, key: key, material: material))
                } catch let error as VaultError where error.code == .absent {
                    // Dead: its shred secret is destroyed.
                    continue
                }
            }
            try await count(try await apply(updates))
            if rows.count < Self.rowsPerBatch { return }
        }
    }

    private func reseal(_ column: SealedColumn, under version: Int, _ count: (Int) async throws -> Void) async throws {
        let sealer = VaultSealer(vault: vault)
        var after = ""
        while true {
            let rows = try await SealedRows.secrets(
                column, under: version, after: after, limit: Self.rowsPerBatch, on: pool)
            var updates: [PostgresQuery] = []
            for row in rows {
                let id: String = try row.get("id")
                let sealed: [UInt8] = try row.get("sealed")
                after = id
                let fresh = try await sealer.reseal(sealed, label: column.label(id), under: version)
                updates.append(SealedRows.replace(column, id: id, sealed, by: fresh))
            }
            try await count(try await apply(updates))
            if rows.count < Self.rowsPerBatch { return }
        }
    }

    /// One transaction a batch. A row that is gone or was sealed anew by somebody else meanwhile changes nothing: the next pass
    /// looks again. More than one row for an id would be a fault.
    private func apply(_ updates: [PostgresQuery]) async throws -> Int {
        guard !updates.isEmpty else { return 0 }
        return try await pool.retryingSerialization { connection in
            let counts = try await connection.executePipeline(updates)
            guard counts.allSatisfy({ $0 <= 1 }) else {
                throw SecurityError(.rotation, "More than one row was sealed anew for one id; nothing of the batch was kept.")
            }
            return counts.reduce(0, +)
        }
    }
}
