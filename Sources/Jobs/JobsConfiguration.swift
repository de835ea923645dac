/// Times and names of the engine. The API, all workers and all sweepers of one database share them.
package struct JobsConfiguration: Sendable {
    /// Prefix of the topics: `<prefix>.jobs.<kind>` and `<prefix>.control`.
    package var topicPrefix: String
    /// How long a claim or a renewal gives a worker its task.
    package var lease: Duration
    /// How often a worker renews its leases and looks for work.
    package var beat: Duration
    /// How long before the end of its lease a worker stops trusting it.
    package var trustMargin: Duration
    /// With this many leases lost under it, a task fails its job.
    package var lossesMax: Int
    /// How long a task's attempts may end in retriable errors without a chunk in between.
    package var retryPeriod: Duration
    package var retry: RetryPolicy
    /// Kinds whose attempts are tried again at another pace or for another time.
    package var retryOfKinds: [JobKind: RetryPolicy]
    /// How many tasks of one account may be at work at once, over all workers; nil: as many as there are slots.
    package var accountTasksMax: Int?
    /// How long the retiring of a job's grants is tried before the job ends with a grant left.
    package var grantPeriod: Duration
    /// The longest an upload may go on after the lease it was begun under.
    package var uploadTimeout: Duration
    /// How long a reading grant lives after its last extension.
    package var readGrantLife: Duration
    /// How long an ended job stays in the tables that work is claimed from.
    package var historyAfter: Duration
    /// Whole days that an ended job can be looked up, and a dead one driven again.
    package var retentionDays: Int

    package init(
        topicPrefix: String = "forecastle", lease: Duration = .seconds(5), beat: Duration = .milliseconds(500),
        trustMargin: Duration = .milliseconds(500), lossesMax: Int = 5, retryPeriod: Duration = .seconds(600),
        retry: RetryPolicy = RetryPolicy(), retryOfKinds: [JobKind: RetryPolicy] = [:], accountTasksMax: Int? = nil,
        grantPeriod: Duration = .seconds(600),
        uploadTimeout: Duration = .seconds(300), readGrantLife: Duration = .seconds(60),
        historyAfter: Duration = .seconds(300), retentionDays: Int = 30
    ) {
        self.topicPrefix = topicPrefix
        self.lease = lease
        self.beat = beat
        self.trustMargin = trustMargin
        self.lossesMax = lossesMax
        self.retryPeriod = retryPeriod
        self.retry = retry
        self.retryOfKinds = retryOfKinds
        self.accountTasksMax = accountTasksMax
        self.grantPeriod = grantPeriod
        self.uploadTimeout = uploadTimeout
        self.readGrantLife = readGrantLife
        self.historyAfter = historyAfter
        self.retentionDays = retentionDays
    }

    package func retry(of kind: JobKind) -> RetryPolicy { retryOfKinds[kind] ?? retry }

    package func retryPeriod(of kind: JobKind) -> Duration { retry(of: kind).period ?? retryPeriod }

    /// Throws `JobError.invalid` with the name of the key that is wrong.
    package func validate() throws {
        func require(_ holds: Bool, _ rule: String) throws {
            guard holds else { throw JobError(.invalid, "jobs.\(rule)") }
        }
        try require(!topicPrefix.isEmpty, "topic_prefix must not be empty")
        try require(beat > .zero, "beat must be above zero")
        try require(trustMargin >= .zero, "trust_margin must not be negative")
        // Two beats must fit, or one slow answer loses every lease of a healthy worker.
        try require(lease >= beat * 2 + trustMargin, "lease must hold two beats and the trust margin")
        try require(lossesMax >= 1, "losses_max must be at least 1")
        try require((accountTasksMax ?? 1) >= 1, "account_tasks_max must be at least 1")
        try require(retryPeriod >= .zero, "retry_period must not be negative")
        try require(grantPeriod >= .zero, "grant_period must not be negative")
        try require(uploadTimeout >= .zero, "upload_timeout must not be negative")
        try require(readGrantLife >= .seconds(5), "read_grant_life must be at least 5 s")
        try require(historyAfter >= .zero, "history_after must not be negative")
        try require(retentionDays >= 1, "retention_days must be at least 1")
        for policy in [retry] + retryOfKinds.values {
            try require(policy.first > .zero && policy.cap >= policy.first, "retry must wait, and longer at its cap")
        }
    }
}
