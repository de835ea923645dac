import FoundationEssentials
import Postgres

/// A chunk on its way into the tables.
package struct ChunkToRecord: Sendable {
    let ordinal: Int
    let object: String
    let inputPosition: JobJSON
    let detail: JobJSON
    let bytes: Int64
    let rows: Int64

    package init(
        ordinal: Int, object: String, inputPosition: JobJSON, detail: JobJSON = .empty, bytes: Int64, rows: Int64
    ) {
        self.ordinal = ordinal
        self.object = object
        self.inputPosition = inputPosition
        self.detail = detail
        self.bytes = bytes
        self.rows = rows
    }
}

/// A chunk to be recorded, by whom, and what its task has done in all with it.
struct ChunkRequest: Sendable {
    let chunk: ChunkToRecord
    let task: ClaimedTask
    let totalBytes: Int64
    let totalRows: Int64
}

extension JobStore {
    /// Reserves the name of an object before a byte of it is written. Repeating it within an attempt is harmless.
    package func reserveObject(_ name: String, ordinal: Int, by task: ClaimedTask) async throws {
        let rows = try await pool.query(
            """
            WITH owner AS (
                SELECT id, job, fence FROM job_task
                WHERE id = \(task.id) AND fence = \(task.fence) AND epoch = \(task.epoch) AND state = 'running'
                FOR SHARE
            )
            INSERT INTO job_object (name, job, task, fence, ordinal)
            SELECT \(name), job, id, fence, \(ordinal) FROM owner
            ON CONFLICT (name) DO UPDATE SET state = job_object.state
                WHERE job_object.fence = excluded.fence AND job_object.state = 'reserved'
            RETURNING name
            """)
        try requireOne(rows.count, "another attempt has it, or the job ended")
    }

    /// Chunks that one statement records at most.
    static let recordBatch = 100

    /// Records a chunk under fence and epoch: from here on it is durable, and whoever takes over goes on behind it.
    package func record(_ chunk: ChunkToRecord, of task: ClaimedTask, totalBytes: Int64, totalRows: Int64) async throws {
        let request = ChunkRequest(chunk: chunk, task: task, totalBytes: totalBytes, totalRows: totalRows)
        if try await recordAtOnce([request]).contains(task.id) { return }
        try await requireRecorded(request)
    }

    /// Records the chunks of any tasks at once, each under its own fence: one that lost it fails alone.
    func record(_ requests: [ChunkRequest]) async -> [Result<Void, any Error>] {
        do {
            // A statement changes a row once: two chunks of one task follow each other.
            guard Set(requests.map(\.task.id)).count == requests.count else {
                throw JobError(.invalid, "A task stands twice in a batch.")
            }
            let recorded = try await recordAtOnce(requests)
            var outcomes: [Result<Void, any Error>] = []
            for request in requests {
                if recorded.contains(request.task.id) {
                    outcomes.append(.success(()))
                } else {
                    outcomes.append(await answer { try await requireRecorded(request) })
                }
            }
            return outcomes
        } catch {
            guard requests.count > 1 else { return [.failure(error)] }
            // What one of them cannot store must not cost the others their chunk.
            var outcomes: [Result<Void, any Error>] = []
            for request in requests {
                outcomes.append(
                    await answer {
                        try await record(
                            request.chunk, of: request.task, totalBytes: request.totalBytes, totalRows: request.totalRows)
                    })
            }
            return outcomes
        }
    }

    private func answer(_ body: () async throws -> Void) async -> Result<Void, any Error> {
        do {
            return .success(try await body())
        } catch {
            return .failure(error)
        }
    }

    /// The task's row is updated in the same statement, which orders this against claims and cancellations. Ordinals
    /// have no gaps. A task that gets on is no poison: its losses and failures start anew.
    ///
    /// - Returns: the tasks whose chunk was recorded.
    private func recordAtOnce(_ requests: [ChunkRequest]) async throws -> Set<TaskID> {
        // One round trip and one commit; looked up by their keys whatever the planner thinks of the tables.
        let counts = try await pool.withConnection { try await $0.executePipeline(requests.map(Self.recording)) }
        return Set(zip(requests, counts).filter { $0.1 == 1 }.map(\.0.task.id))
    }

    private static func recording(_ request: ChunkRequest) -> PostgresQuery {
        let (task, chunk) = (request.task, request.chunk)
        return """
            WITH owner AS (
                UPDATE job_task SET chunks = chunks + 1, bytes = greatest(bytes, \(request.totalBytes)),
                                    failures = 0, losses = 0, failing_since = NULL,
                                    rows = greatest(rows, \(request.totalRows))
                WHERE id = \(task.id) AND fence = \(task.fence) AND epoch = \(task.epoch) AND \(raw: isRunning)
                  AND chunks = \(chunk.ordinal)
                  AND EXISTS (SELECT FROM job_object WHERE name = \(chunk.object) AND task = \(task.id)
                                 AND fence = \(task.fence) AND state = 'reserved')
                RETURNING id, fence
            ), object AS (
                UPDATE job_object AS o SET state = 'durable' FROM owner
                WHERE o.name = \(chunk.object) AND o.task = owner.id AND o.fence = owner.fence AND o.state = 'reserved'
                RETURNING o.name
            )
            INSERT INTO job_chunk (task, ordinal, fence, object, input_position, detail, bytes, rows)
            SELECT owner.id, \(chunk.ordinal), owner.fence, object.name, \(chunk.inputPosition), \(chunk.detail),
                   \(chunk.bytes), \(chunk.rows)
            FROM owner, object
            """
    }

    /// A repetition whose first answer was lost finds its own row and is done.
    private func requireRecorded(_ request: ChunkRequest) async throws {
        let (task, chunk) = (request.task, request.chunk)
        let rows = try await pool.query(
            """
            SELECT 1 FROM job_chunk AS c JOIN job_task AS t ON t.id = c.task
            WHERE c.task = \(task.id) AND c.ordinal = \(chunk.ordinal) AND c.object = \(chunk.object)
              AND t.fence = \(task.fence) AND t.epoch = \(task.epoch) AND t.state = 'running'
            """)
        try requireOne(rows.count, "another attempt has it, or the job ended")
    }

    /// The durable chunks of a task, whichever attempt sealed them.
    package func chunks(of task: ClaimedTask) async throws -> [DurableChunk] {
        try await pool.query(
            """
            SELECT t.ordinal AS task_ordinal, \(raw: Self.chunkColumns) FROM job_chunk AS c
            JOIN job_task AS t ON t.id = c.task WHERE c.task = \(task.id) ORDER BY c.ordinal
            """
        ).map(Self.chunk)
    }

    /// The chunks of all finished tasks of a job, in the order of the plan.
    func chunks(of job: JobID) async throws -> [DurableChunk] {
        try await pool.query(
            """
            SELECT t.ordinal AS task_ordinal, \(raw: Self.chunkColumns) FROM job_chunk AS c
            JOIN job_task AS t ON t.id = c.task
            WHERE t.job = \(job) AND t.role = 'work' AND t.state = 'done' ORDER BY t.ordinal, c.ordinal
            """
        ).map(Self.chunk)
    }

    private static let chunkColumns = "c.ordinal, c.fence, c.object, c.input_position, c.detail, c.bytes, c.rows"

    private static func chunk(_ row: PostgresRow) throws -> DurableChunk {
        DurableChunk(
            taskOrdinal: try row.get("task_ordinal"), ordinal: try row.get("ordinal"), fence: try row.get("fence"),
            object: try row.get("object"), inputPosition: try row.get("input_position"),
            detail: try row.get("detail"), bytes: try row.get("bytes"), rows: try row.get("rows"))
    }
}
