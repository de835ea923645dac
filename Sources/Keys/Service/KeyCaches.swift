import Accounts
import Freshness
import Policies
import Postgres

/// What uses of keys read again and again, each under the version of its key.
struct KeyCaches: Sendable {
    static let maximumKeys = 4096
    static let maximumGrantLists = 16_384
    static let maximumMaterials = 1024
    /// Opened material is opened anew after this time, so that a shred secret that somebody removed by hand ends use too;
    /// a deletion that the authority makes is counted and ends it at once.
    static let materialLifetime: Duration = .seconds(2)

    struct Name: Hashable, Sendable {
        let account: String
        let reference: KeyReference
    }

    struct Candidates: Hashable, Sendable {
        let keyID: String
        let grantees: [String]
        let operation: KeyOperation
    }

    struct MaterialName: Hashable, Sendable {
        let keyID: String
        let material: [UInt8]
    }

    let keys: VersionedCache<Name, KeyRow>
    let grants: VersionedCache<Candidates, [KeyGrant]>
    let materials: VersionedCache<MaterialName, OpenedMaterial>

    init(board: CacheBoard) {
        keys = VersionedCache(board: board, maximumEntries: Self.maximumKeys)
        grants = VersionedCache(board: board, maximumEntries: Self.maximumGrantLists)
        materials = VersionedCache(board: board, maximumEntries: Self.maximumMaterials)
    }
}

/// Reads from the caches; what is missing, from the database, behind its version.
///
/// An absent key is not kept: what does not exist has no version.
struct CachedReading: KeyReading {
    let caches: KeyCaches
    let pool: PostgresPool
    let accounts: AccountsStore
    let vault: Vault
    let region: String

    func key(_ reference: KeyReference, account: String, lock: KeyRows.Lock) async throws -> KeyRow? {
        precondition(lock == .none, "A row is locked in a transaction, and this reads in none.")
        let name = KeyCaches.Name(account: account, reference: reference)
        if let known = caches.keys.value(name) { return known }
        return try await pool.withConnection { connection in
            let reading = transaction(connection)
            // Its id first: the version to read before the row is that of the id.
            guard let found = try await reading.key(reference, account: account, lock: lock) else { return nil }
            let versions = try await connection.securityVersions(of: [.key(found.keyID), .everything])
            let key = try await reading.key(reference, account: account, lock: lock)
            if let key, key.keyID == found.keyID { caches.keys.keep(key, for: name, under: versions) }
            return key
        }
    }

    func policies(of principal: Principal) async throws -> SubjectPolicies {
        try await accounts.knownPolicies(of: principal)
    }

    func grants(on key: KeyRow, grantees: [String], operation: KeyOperation) async throws -> [KeyGrant] {
        let name = KeyCaches.Candidates(keyID: key.keyID, grantees: grantees, operation: operation)
        if let known = caches.grants.value(name) { return known }
        return try await pool.withConnection { connection in
            let versions = try await connection.securityVersions(of: [.key(key.keyID), .everything])
            let grants = try await transaction(connection).grants(on: key, grantees: grantees, operation: operation)
            caches.grants.keep(grants, for: name, under: versions)
            return grants
        }
    }

    func material(_ id: [UInt8], of key: KeyRow) async throws -> OpenedMaterial? {
        let name = KeyCaches.MaterialName(keyID: key.keyID, material: id)
        if let known = caches.materials.value(name) { return known }
        let until = caches.materials.now + KeyCaches.materialLifetime
        return try await pool.withConnection { connection in
            let versions = try await connection.securityVersions(of: [.key(key.keyID), .everything])
            let opened = try await transaction(connection).material(id, of: key)
            if let opened { caches.materials.keep(opened, for: name, under: versions, until: until) }
            return opened
        }
    }

    private func transaction(_ connection: PostgresConnection) -> TransactionReading {
        TransactionReading(connection: connection, accounts: accounts, vault: vault, region: region)
    }
}

extension KeyService {
    /// How long opened material is used before it is opened anew.
    package static var materialLifetime: Duration { KeyCaches.materialLifetime }
}
