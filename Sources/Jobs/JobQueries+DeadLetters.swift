package import FoundationEssentials
import Postgres

extension JobQueries {
    /// A job that died of something that an operator can mend, and what it died of.
    package struct DeadLetter: Sendable {
        package let job: JobID
        package let kind: JobKind
        package let account: String
        package let resourceARN: String
        package let reason: DeathReason
        package let message: String
        /// The task that it died of.
        package let role: TaskRole
        package let ordinal: Int
        package let attempts: Int
        package let losses: Int
        package let failures: Int
        package let worker: String?
        package let lastError: String?
        package let diedAt: Date
        package let redrivenAt: Date?
        package let redrivenBy: String?
    }

    /// The newest first.
    ///
    /// - Parameter all: also those that were driven again.
    package func deadLetters(
        all: Bool = false, kind: JobKind? = nil, reason: DeathReason? = nil, limit: Int = 50
    ) async throws -> [DeadLetter] {
        try await pool.query(
            """
            SELECT * FROM job_dead_letter
            WHERE (\(all) OR redriven_at IS NULL) AND (\(kind)::text IS NULL OR kind = \(kind))
              AND (\(reason?.rawValue)::text IS NULL OR reason = \(reason?.rawValue))
            ORDER BY died_at DESC, job LIMIT \(min(max(limit, 1), Self.listLimitMax))
            """
        ).map(DeadLetter.init)
    }
}

extension JobQueries.DeadLetter {
    init(_ row: PostgresRow) throws {
        job = try row.get("job")
        kind = try row.get("kind")
        account = try row.get("account")
        resourceARN = try row.get("resource")
        reason = try row.get("reason")
        message = try row.get("message")
        role = try row.get("role")
        ordinal = try row.get("ordinal")
        attempts = try row.get("attempts")
        losses = try row.get("losses")
        failures = try row.get("failures")
        worker = try row.get("worker", as: String?.self)
        lastError = try row.get("last_error", as: String?.self)
        diedAt = try row.get("died_at")
        redrivenAt = try row.get("redriven_at", as: Date?.self)
        redrivenBy = try row.get("redriven_by", as: String?.self)
    }
}
