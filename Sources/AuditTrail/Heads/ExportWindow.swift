import FoundationEssentials
package import Postgres

/// How long records could have been cut off the end of the trail unnoticed: from the moment the database took a record until a
/// head that covers it was on disk outside.
package struct ExportWindow: Sendable {
    package static let maximumRecords = 200_000

    /// Seconds, ascending.
    private let seconds: [Double]
    /// Records that no export covers yet.
    package let uncovered: Int

    /// Of the newest records.
    package static func measure(_ records: Int, evidence: HeadsEvidence, pool: PostgresPool) async throws -> ExportWindow {
        var seconds: [Double] = []
        var uncovered = 0
        for head in try await AuditTrail.heads(pool: pool) where head.sequence > 0 {
            let points = evidence.points(of: head.shard)
            let rows = try await pool.query(
                """
                SELECT sequence, recorded_at FROM audit_records WHERE shard = \(head.shard)
                ORDER BY sequence DESC LIMIT \(records)
                """)
            var index = points.endIndex
            for row in rows {
                let sequence: Int64 = try row.get("sequence")
                while index > points.startIndex, points[index - 1].head.sequence >= sequence { index -= 1 }
                guard index < points.endIndex else {
                    uncovered += 1
                    continue
                }
                let taken: Date = try row.get("recorded_at")
                // A line's time is that before its heads were read: a record may have come in between.
                let waited = max(0, points[index].time.timeIntervalSince(taken))
                seconds.append(waited + Double(evidence.slowestMilliseconds) / 1000)
            }
        }
        return ExportWindow(seconds: seconds.sorted(), uncovered: uncovered)
    }

    private init(seconds: [Double], uncovered: Int) {
        self.seconds = seconds
        self.uncovered = uncovered
    }

    package var records: Int { seconds.count }
    package var longest: Double? { seconds.last }

    /// The window that this part of the records stayed within.
    package func quantile(_ part: Double) -> Double? {
        guard !seconds.isEmpty else { return nil }
        return seconds[min(seconds.count - 1, Int((Double(seconds.count) * part).rounded(.up)) - 1)]
    }
}
