import AWSProtocol
import Postgres

import struct FoundationEssentials.Date

/// Statements on the materials of a key beside the first. Each runs in the transaction it is handed.
enum MaterialRows {
    /// Makes a material the current one of a key that this transaction has locked. The old ones stay, for what they sealed.
    static func replaceCurrent(
        of key: KeyRow, with id: [UInt8], version: Int, sealed: [UInt8], type: RotationType, at time: Date,
        on connection: PostgresConnection
    ) async throws {
        try await KeyRows.changeOne(
            """
            INSERT INTO key_materials (key_id, material, version, sealed, rotated_at, rotation_type)
            VALUES (\(key.keyID), \(id), \(Int32(version)), \(sealed), \(time), \(type.rawValue))
            """, on: connection)
        let former = Hex.decode(key.metadata.currentMaterialID) ?? []
        try await KeyRows.changeOne(
            "UPDATE keys SET current_material = \(id) WHERE key_id = \(key.keyID) AND current_material = \(former)",
            on: connection)
    }

    static func setSchedule(_ schedule: RotationSchedule?, of key: KeyRow, on connection: PostgresConnection) async throws {
        let days = schedule.map { Int32($0.periodDays) }
        try await KeyRows.changeOne(
            """
            UPDATE keys SET rotation_days = \(days as Int32?), next_rotation_at = \(schedule?.next as Date?)
            WHERE key_id = \(key.keyID)
            """, on: connection)
    }

    /// The highest version, and how many rotations of a type there were.
    static func count(
        _ type: RotationType, of key: KeyRow, on connection: PostgresConnection
    ) async throws -> (latest: Int, rotations: Int) {
        let rows = try await connection.query(
            """
            SELECT max(version) AS latest, count(*) FILTER (WHERE rotation_type = \(type.rawValue)) AS rotations
            FROM key_materials WHERE key_id = \(key.keyID)
            """)
        guard let row = rows.first, let latest: Int32 = try row.get("latest") else {
            throw KeyError.internal("A key has no material.")
        }
        return (Int(latest), try row.get("rotations"))
    }

    /// Materials in the order in which they came, without the first where only rotations are asked for.
    static func list(
        of key: KeyRow, includesFirst: Bool, after version: Int, limit: Int, on connection: PostgresConnection
    ) async throws -> [KeyRotation] {
        try await connection.query(
            """
            SELECT material, version, rotated_at, rotation_type FROM key_materials
            WHERE key_id = \(key.keyID) AND version > \(Int32(version)) AND (\(includesFirst) OR rotated_at IS NOT NULL)
            ORDER BY version LIMIT \(limit)
            """
        ).map { row in
            let id = Hex.encode(try row.get("material", as: [UInt8].self))
            let type: String? = try row.get("rotation_type")
            return KeyRotation(
                key: key.arn, materialID: id, version: Int(try row.get("version", as: Int32.self)),
                isCurrent: id == key.metadata.currentMaterialID, rotatedAt: try row.get("rotated_at"),
                type: type.flatMap(RotationType.init))
        }
    }
}
