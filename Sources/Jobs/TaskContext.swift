import Postgres

/// What a handler has of the task it is at: who it is, what is durable already, and the only ways to leave a trace.
///
/// Every method that writes carries the attempt's fence and the job's epoch and throws `JobError.leaseLost` where they
/// are not the task's any more; the handler then wipes and returns, and writes nothing more anywhere.
package final class TaskContext: Sendable {
    /// As it stood right after the claim; its specification is verified.
    package let job: JobRecord
    /// What was recorded before this attempt began. Go on behind the last one.
    package let durableChunks: [DurableChunk]
    package let grants: JobGrants
    package let faults: FaultPoints
    let claimed: ClaimedTask
    private let store: JobStore
    private let chunks: WriteGroup<ChunkRequest, Void>

    init(
        _ claimed: ClaimedTask, durableChunks: [DurableChunk], store: JobStore, chunks: WriteGroup<ChunkRequest, Void>,
        faults: FaultPoints
    ) {
        self.claimed = claimed
        self.durableChunks = durableChunks
        self.store = store
        self.chunks = chunks
        self.faults = faults
        job = claimed.job
        grants = JobGrants(claimed: claimed, store: store, faults: faults)
        claimed.progress.becameDurable(
            bytes: durableChunks.reduce(0) { $0 + $1.bytes }, rows: durableChunks.reduce(0) { $0 + $1.rows })
    }

    package var task: TaskID { claimed.id }
    package var role: TaskRole { claimed.role }
    /// The task's place in the plan.
    package var ordinal: Int { claimed.ordinal }
    package var fence: Fence { claimed.fence }
    package var epoch: Epoch { claimed.epoch }
    /// From 1; takes count, drained attempts do not.
    package var attempt: Int { claimed.attempt }
    /// The worker shuts down: stop at the next chunk. `recordChunk` does that by itself.
    package var isDraining: Bool { claimed.lease.isDraining }

    /// Costs a lock and no I/O: ask it before each frame or step. Throws `leaseLost` from a margin before the lease
    /// would end.
    package func checkStillOurs() throws {
        try claimed.lease.check()
    }

    /// Progress since the last recorded chunk, for the next beat to report: bytes and rows of input, not increments.
    package func progress(bytes: Int64, rows: Int64) {
        claimed.progress.sinceLastChunk(bytes: bytes, rows: rows)
    }

    /// Reserves a write-once object name of this attempt. Nothing may be written under a name that was not reserved:
    /// the collector would never find it.
    ///
    /// - Parameter ordinal: for chunks that of the chunk; for others any that is free in this attempt.
    package func reserveObject(ordinal: Int) async throws -> String {
        try checkStillOurs()
        let name = ObjectName.make(
            resourceARN: job.resourceARN, incarnation: job.incarnation, task: task, fence: fence, ordinal: ordinal)
        try await store.reserveObject(name, ordinal: ordinal, by: claimed)
        try await faults.reach(.objectReserved)
        return name
    }

    /// Records that a chunk's object is whole and where in the input it ended.
    ///
    /// In a worker that drains it throws `JobError.released` behind the record: let it pass, the task goes back to the
    /// queue and goes on there.
    ///
    /// - Parameters:
    ///   - ordinal: from `durableChunks.count` on, without gaps.
    ///   - bytes: of input, for progress. So are `rows`.
    ///   - inputPosition: no value from the data. So is `detail`, which pins the sealed bytes.
    package func recordChunk(
        ordinal: Int, object: String, inputPosition: JobJSON, bytes: Int64, rows: Int64, detail: JobJSON = .empty
    ) async throws {
        try checkStillOurs()
        try await faults.reach(.chunkBeforeRecord)
        let chunk = ChunkToRecord(
            ordinal: ordinal, object: object, inputPosition: inputPosition, detail: detail, bytes: bytes, rows: rows)
        let durable = claimed.progress.durable
        let (totalBytes, totalRows) = (durable.bytes + bytes, durable.rows + rows)
        try await chunks.submit(
            ChunkRequest(chunk: chunk, task: claimed, totalBytes: totalBytes, totalRows: totalRows))
        claimed.progress.becameDurable(bytes: totalBytes, rows: totalRows)
        JobMetrics.chunk(job.kind, bytes: bytes, rows: rows)
        try await faults.reach(.chunkRecorded)
        if isDraining { throw JobError.released }
    }

    /// For commit: the chunks of all tasks, in the order of the plan.
    package func chunksOfAllTasks() async throws -> [DurableChunk] {
        try await store.chunks(of: job.id)
    }
}
