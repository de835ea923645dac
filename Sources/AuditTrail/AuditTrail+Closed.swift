package import Postgres

import struct FoundationEssentials.UUID

extension AuditTrail {
    /// A trail of no shard, in which nothing can be recorded: for programs that ask and change nothing. What tries to record by
    /// mistake fails with `unknownShard`, and with it whatever it would have done.
    package static func closed(pool: PostgresPool) -> AuditTrail {
        AuditTrail(pool: pool, shard: UUID())
    }
}
