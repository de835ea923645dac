import FoundationEssentials
import Jobs
package import Postgres
import Synchronization

/// The ExternalId that the service names when it assumes roles of a customer at AWS: one an account, made at its first use
/// and never changed, since the customer's trust policies hold it.
///
/// It is no secret. It keeps a customer from making the service use the role of another one, whose trust policy asks for
/// another id; so nobody but the service may choose it. Somebody who can write the jobs database can only break roles with it.
package final class ExternalIDs: Sendable {
    private let pool: PostgresPool
    private let known = Mutex<[String: String]>([:])

    package init(pool: PostgresPool) {
        self.pool = pool
    }

    /// - Parameter account: twelve digits, of the authority.
    package func externalID(of account: String) async throws -> String {
        if let id = known.withLock({ $0[account] }) { return id }
        let fresh = "forecastle-\(UUID().uuidString.lowercased())"
        // The row that is there already, or was put there meanwhile, stays.
        try await pool.execute(
            "INSERT INTO external_id (account, value) VALUES (\(account), \(fresh)) ON CONFLICT (account) DO NOTHING")
        let rows = try await pool.query("SELECT value FROM external_id WHERE account = \(account)")
        guard let row = rows.first else { throw JobError.retriable("The ExternalId of an account is gone.") }
        let id = try row.get("value", as: String.self)
        known.withLock { $0[account] = id }
        return id
    }
}
