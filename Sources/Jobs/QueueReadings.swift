import Outbox
import Postgres
import Telemetry

/// How much waits, and for how long, as one look at the tables found it.
package struct QueueReadings: Sendable {
    /// Rows of one kind, or of one table, that are counted at most: a number that reaches it means "at least".
    package static let rowsMax = 100_000

    package struct Queue: Sendable, Equatable {
        package let kind: String
        package let due: Int
        package let delayed: Int
        package let oldestDueSeconds: Double

        package init(kind: String, due: Int, delayed: Int, oldestDueSeconds: Double) {
            self.kind = kind
            self.due = due
            self.delayed = delayed
            self.oldestDueSeconds = oldestDueSeconds
        }
    }

    package let queues: [Queue]
    /// By scope (`job`, `read`) and state.
    package let grants: [(scope: String, state: String, number: Int)]
    package let deadLetters: Int
    package let outboxRows: Int
    package let outboxOldestSeconds: Double

    /// A kind of which nothing waits any more is 0 for as long as this process leads: it was seen before.
    func publish() {
        func set(_ name: MetricName, _ value: (Queue) -> Double) {
            Measure.replace(name, queues.map { ([("kind", $0.kind)], value($0)) })
        }
        set(.tasksReady) { Double($0.due) }
        set(.tasksDelayed) { Double($0.delayed) }
        set(.oldestDueTaskSeconds, \.oldestDueSeconds)
        Measure.replace(
            .grants, grants.map { ([("scope", $0.scope), ("state", $0.state)], Double($0.number)) })
        Measure.replace(.deadLettersWaiting, [([], Double(deadLetters))])
        Measure.replace(.outboxRows, [([], Double(outboxRows))])
        Measure.replace(.outboxOldestSeconds, [([], outboxOldestSeconds)])
    }

    /// Who leads no more says nothing more.
    static func forget() {
        for name: MetricName in [
            .tasksReady, .tasksDelayed, .oldestDueTaskSeconds, .grants, .deadLettersWaiting, .outboxRows, .outboxOldestSeconds,
        ] { Measure.replace(name, []) }
    }
}

extension JobStore {
    private static let grantStates = ["intended", "active", "retiring", "left"]

    /// Reads partial indexes that hold what is open, never what is finished, and of each kind at most `QueueReadings.rowsMax`
    /// rows: a million ended jobs cost nothing. One round trip.
    package func readQueues() async throws -> QueueReadings {
        let limit = QueueReadings.rowsMax
        let answers = try await pool.withConnection { connection in
            try await connection.pipeline([
                """
                WITH RECURSIVE waiting AS (
                    (SELECT kind FROM job_task WHERE state = 'ready' ORDER BY kind LIMIT 1)
                    UNION ALL
                    SELECT next.kind FROM waiting AS w CROSS JOIN LATERAL (
                        SELECT kind FROM job_task WHERE state = 'ready' AND kind > w.kind ORDER BY kind LIMIT 1
                    ) AS next
                ), served AS (
                    SELECT DISTINCT unnest(kinds) AS kind FROM job_worker
                    WHERE seen_at + \(Self.workerSilence) > now()
                )
                SELECT k.kind, q.due, q.delayed, q.oldest FROM (SELECT kind FROM waiting UNION SELECT kind FROM served) AS k
                CROSS JOIN LATERAL (
                    SELECT count(*) FILTER (WHERE not_before <= now()) AS due,
                           count(*) FILTER (WHERE not_before > now()) AS delayed,
                           coalesce(greatest(extract(epoch FROM now() - min(not_before)), 0), 0)::float8 AS oldest
                    FROM (SELECT not_before FROM job_task WHERE state = 'ready' AND kind = k.kind LIMIT \(limit)) AS bounded
                ) AS q ORDER BY k.kind
                """,
                """
                SELECT scope, state, count(*) AS number FROM (
                    SELECT CASE WHEN job IS NULL THEN 'read' ELSE 'job' END AS scope, state FROM job_grant
                    WHERE state <> 'retired' LIMIT \(limit)
                ) AS bounded GROUP BY scope, state
                """,
                """
                SELECT count(*) AS number FROM (
                    SELECT FROM job_dead_letter WHERE redriven_at IS NULL LIMIT \(limit)
                ) AS bounded
                """,
                Outbox.reading(limit: limit),
            ])
        }
        var grants: [String: Int] = [:]
        for row in answers[1] {
            grants["\(try row.get("scope", as: String.self))/\(try row.get("state", as: String.self))"] = try row.get("number")
        }
        return QueueReadings(
            queues: try answers[0].map {
                QueueReadings.Queue(
                    kind: try $0.get("kind"), due: try $0.get("due"), delayed: try $0.get("delayed"),
                    oldestDueSeconds: try $0.get("oldest"))
            },
            grants: ["job", "read"].flatMap { scope in
                Self.grantStates.map { (scope, $0, grants["\(scope)/\($0)"] ?? 0) }
            },
            deadLetters: try answers[2].first?.get("number") ?? 0,
            outboxRows: try answers[3].first?.get("waiting") ?? 0,
            outboxOldestSeconds: max(0, try answers[3].first?.get("oldest", as: Double?.self) ?? 0))
    }
}
