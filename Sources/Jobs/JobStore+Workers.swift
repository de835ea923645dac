import Postgres

extension JobStore {
    /// A process that was not seen for so long serves nothing.
    static let workerSilence = Duration.seconds(30)
    static let workerSightings = Duration.seconds(5)

    /// Says that a worker process runs, and what it serves.
    func sight(
        _ worker: WorkerConfiguration, kinds: [(kind: JobKind, version: Int)], running: Int
    ) async throws {
        try await pool.execute(
            """
            INSERT INTO job_worker (name, kinds, versions, slots, running)
            VALUES (\(worker.name), \(kinds.map(\.kind.rawValue)), \(kinds.map(\.version)), \(worker.slots), \(running))
            ON CONFLICT (name) DO UPDATE SET running = excluded.running, seen_at = now()
            """)
    }

    func forget(_ worker: WorkerConfiguration) async throws {
        try await pool.execute("DELETE FROM job_worker WHERE name = \(worker.name)")
    }

    /// Ready tasks of kinds and versions that no worker which runs has a handler for: they stay where they are.
    package func unserved() async throws -> [(kind: JobKind, version: Int, tasks: Int)] {
        try await pool.query(
            """
            SELECT t.kind, t.version, count(*) AS tasks FROM job_task AS t
            WHERE t.state = 'ready' AND NOT EXISTS (
                SELECT FROM job_worker AS w CROSS JOIN LATERAL unnest(w.kinds, w.versions) AS k (kind, version)
                WHERE w.seen_at + \(Self.workerSilence) > now() AND k.kind = t.kind AND k.version >= t.version)
            GROUP BY t.kind, t.version ORDER BY t.kind, t.version
            """
        ).map { (try $0.get("kind"), try $0.get("version"), try $0.get("tasks")) }
    }
}
