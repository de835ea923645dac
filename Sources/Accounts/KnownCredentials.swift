import Freshness
import Postgres
import Secrets

import struct FoundationEssentials.Date

/// A credential that has signed a request lately, with its secret opened.
struct KnownCredential: Sendable {
    let stored: StoredCredential
    let secret: SharedSecret
}

extension AccountsStore {
    /// Credentials kept with their secrets in locked memory.
    package static let maximumKnownCredentials = 4096

    /// Keeps a credential that has just been verified, as it is after the versions under which it is kept.
    ///
    /// The account is known only from the row, so the row is read a second time behind the versions. A session is kept until it
    /// expires, by the database's clock; one whose end is not known, not at all.
    func keep(_ verified: StoredCredential, secret: SharedSecret) async throws {
        guard Reliance.current != nil, board.isTrusted else { return }
        let account = verified.principal.account
        let before = known.now
        let versions = try await pool.withConnection { try await $0.securityVersions(of: [.account(account), .everything]) }
        guard let stored = try await credential(verified.principal.accessKeyID), stored.principal == verified.principal,
            stored.sealedSecret == verified.sealedSecret, stored.isActive, !stored.isExpired
        else { return }
        var until: ContinuousClock.Instant?
        if stored.tokenDigest != nil {
            let now = try await pool.query("SELECT clock_timestamp() AS now").first?.get("now", as: Date.self)
            guard let now, let end = stored.principal.session?.expiresAt else { return }
            until = before + .seconds(end.timeIntervalSince(now))
        }
        known.keep(
            KnownCredential(stored: stored, secret: secret), for: verified.principal.accessKeyID, under: versions, until: until)
    }
}
