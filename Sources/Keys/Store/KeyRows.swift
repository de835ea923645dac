import AWSProtocol
import Postgres

/// Statements on keys and their material. Each runs in the transaction it is handed.
enum KeyRows {
    /// Whether the row is only read, or locked until the end of the transaction because the decision must still hold when its
    /// effect is written.
    enum Lock: String {
        case none = ""
        /// For changes of the key and grants on it: one after the other.
        case update = "FOR NO KEY UPDATE OF k"
    }

    /// The key that a caller of `account` in `region` means. Nil where there is none, or a tombstone.
    static func find(
        _ reference: KeyReference, account: String, region: String, lock: Lock = .none, on connection: PostgresConnection
    ) async throws -> KeyRow? {
        let select = "SELECT \(KeyRow.columns) FROM keys k"
        let end = "k.state <> 'Deleted' \(lock.rawValue)"
        let query: PostgresQuery
        switch reference {
        case .keyID(let id):
            query = "\(raw: select) WHERE k.key_id = \(id) AND k.account = \(account) AND \(raw: end)"
        case .keyARN(let arn):
            query = "\(raw: select) WHERE k.arn = \(arn.description) AND \(raw: end)"
        case .aliasName(let name):
            query = """
                \(raw: select) JOIN key_aliases a USING (key_id)
                WHERE a.account = \(account) AND a.name = \(name) AND \(raw: end)
                """
        case .aliasARN(let arn):
            guard arn.region == region, arn.partition == "aws" else { return nil }
            query = """
                \(raw: select) JOIN key_aliases a USING (key_id)
                WHERE a.account = \(arn.account) AND a.name = \(arn.resource) AND \(raw: end)
                """
        }
        return try await connection.query(query).first.map(KeyRow.init)
    }

    static func insert(_ key: KeyMetadata, policy: String, tags: [KeyTag], sealed: [UInt8], on connection: PostgresConnection)
        async throws
    {
        let material = Hex.decode(key.currentMaterialID) ?? []
        _ = try await connection.pipeline([
            """
            INSERT INTO keys (key_id, account, arn, description, state, policy, tags, created_at, current_material)
            VALUES (\(key.keyID), \(key.account), \(key.arn.description), \(key.description), \(key.state.rawValue), \(policy),
                    \(KeyTag.json(tags)), \(key.createdAt), \(material))
            """,
            """
            INSERT INTO key_materials (key_id, material, version, sealed)
            VALUES (\(key.keyID), \(material), 1, \(sealed))
            """,
        ])
    }

    /// Changes the state of a key that is locked by this transaction.
    static func setState(_ state: KeyState, of key: KeyRow, on connection: PostgresConnection) async throws {
        try await changeOne(
            """
            UPDATE keys SET state = \(state.rawValue), deletion_at = NULL, deletion_window = NULL
            WHERE key_id = \(key.keyID) AND state = \(key.metadata.state.rawValue)
            """, on: connection)
    }

    static func setPolicy(_ policy: String, of key: KeyRow, on connection: PostgresConnection) async throws {
        try await changeOne("UPDATE keys SET policy = \(policy) WHERE key_id = \(key.keyID)", on: connection)
    }

    /// A material of a key, sealed; nil for one that the key never had.
    static func material(
        _ id: [UInt8], of key: KeyRow, on connection: PostgresConnection
    ) async throws -> (sealed: [UInt8], version: Int)? {
        let rows = try await connection.query(
            "SELECT sealed, version FROM key_materials WHERE key_id = \(key.keyID) AND material = \(id)")
        return try rows.first.map { (try $0.get("sealed"), Int(try $0.get("version", as: Int32.self))) }
    }

    static func changeOne(_ query: PostgresQuery, on connection: PostgresConnection) async throws {
        guard try await connection.execute(query) == 1 else {
            throw KeyError.internal("A row that this transaction holds did not change.")
        }
    }
}
