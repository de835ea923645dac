package import ObjectStore
package import Postgres

/// A cluster as the checks see it: its databases, its files, its processes, and what its clients wrote down.
package struct VerifiedCluster: Sendable {
    package var jobs: PostgresPool
    /// Nil where keys and trail are at another server.
    package var authority: PostgresPool?
    package var artifacts: any ObjectStore
    package var lease: Duration
    package var beat: Duration
    /// Jobs that clients were told are accepted.
    package var accepted: [AcceptedJob] = []
    /// Texts of customers' data that may stand in no file and no row.
    package var canaries: [String] = []
    /// Files and folders that are searched for the canaries, and what is left out there: the customers' own buckets.
    package var searched: [String] = []
    package var notSearched: [String] = []
    /// Whether the artifact store is searched too, object by object: it is no folder of those above.
    package var searchesArtifacts = false
    package var processes: [ObservedProcess] = []
    package var memoryBounds: MemoryBounds
    /// Rows that the outbox may hold.
    package var outboxRowsMax: Int
    package var clientErrors: [ClientError] = []

    package init(
        jobs: PostgresPool, authority: PostgresPool?, artifacts: any ObjectStore, lease: Duration, beat: Duration,
        memoryBounds: MemoryBounds, outboxRowsMax: Int
    ) {
        self.jobs = jobs
        self.authority = authority
        self.artifacts = artifacts
        self.lease = lease
        self.beat = beat
        self.memoryBounds = memoryBounds
        self.outboxRowsMax = outboxRowsMax
    }

    /// Jobs where work is claimed from, and finished ones that moved to the history.
    static let jobsAndHistory = """
        (SELECT id, resource, incarnation, state, epoch, finished_at, manifest_object, manifest_digest FROM job
         UNION ALL
         SELECT id, resource, incarnation, state, epoch, finished_at, manifest_object, manifest_digest FROM job_history)
        """
}

/// A running process of the cluster.
package struct ObservedProcess: Sendable, Hashable {
    package var role: String
    package var pid: Int32

    package init(role: String, pid: Int32) {
        self.role = role
        self.pid = pid
    }
}

/// How much memory a process may have used at its peak.
package struct MemoryBounds: Sendable, Hashable {
    /// Of any process.
    package var baseBytes: Int
    /// What a worker may use besides, for the chunks at work.
    package var workerBytes: Int

    package init(baseBytes: Int, workerBytes: Int) {
        self.baseBytes = baseBytes
        self.workerBytes = workerBytes
    }

    package func bytes(of role: String) -> Int { baseBytes + (role == "worker" ? workerBytes : 0) }
}
