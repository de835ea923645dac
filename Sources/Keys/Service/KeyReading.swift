import Accounts
import Policies
import Postgres

/// Where a decision about a key reads: in a transaction of its own, or from caches that the call's record proves.
protocol KeyReading: Sendable {
    /// The key that a caller of `account` means; nil where there is none. A lock holds until the end of the transaction.
    func key(_ reference: KeyReference, account: String, lock: KeyRows.Lock) async throws -> KeyRow?
    func policies(of principal: Principal) async throws -> SubjectPolicies
    func grants(on key: KeyRow, grantees: [String], operation: KeyOperation) async throws -> [KeyGrant]
    /// Throws `absent` of the vault once the key's shred secret is destroyed; nil where the key never had that material.
    func material(_ id: [UInt8], of key: KeyRow) async throws -> OpenedMaterial?
}

/// Material that several uses may share. It is wiped when the last of them, and the cache, let go of it.
final class OpenedMaterial: Sendable {
    let material: KeyMaterial

    init(_ material: consuming KeyMaterial) { self.material = material }
}

/// Reads in the transaction that a connection is in.
struct TransactionReading: KeyReading {
    let connection: PostgresConnection
    let accounts: AccountsStore
    let vault: Vault
    let region: String

    func key(_ reference: KeyReference, account: String, lock: KeyRows.Lock) async throws -> KeyRow? {
        try await KeyRows.find(reference, account: account, region: region, lock: lock, on: connection)
    }

    func policies(of principal: Principal) async throws -> SubjectPolicies {
        try await accounts.policies(of: principal, on: connection)
    }

    func grants(on key: KeyRow, grantees: [String], operation: KeyOperation) async throws -> [KeyGrant] {
        try await GrantRows.candidates(keyID: key.keyID, grantees: grantees, operation: operation.rawValue, on: connection)
    }

    func material(_ id: [UInt8], of key: KeyRow) async throws -> OpenedMaterial? {
        guard let stored = try await KeyRows.material(id, of: key, on: connection) else { return nil }
        return OpenedMaterial(
            try await vault.openMaterial(stored.sealed, id: id, version: stored.version, of: key.arn))
    }
}

extension KeyService {
    func reading(on connection: PostgresConnection) -> TransactionReading {
        TransactionReading(connection: connection, accounts: accounts, vault: vault, region: region)
    }
}
