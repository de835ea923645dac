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
    /// How long the retiring of a job's grants is tried before the job ends with a grant left.
    package var grantPeriod: Duration
    /// The longest an upload may go on after the lease it was begun under.
    package var uploadTimeout: Duration
    /// How long a reading grant lives after its last extension.
    package var readGrantLife: Duration

    package init(
        topicPrefix: String = "forecastle", lease: Duration = .seconds(5), beat: Duration = .seconds(1),
        trustMargin: Duration = .milliseconds(500), lossesMax: Int = 5, retryPeriod: Duration = .seconds(600),
        retry: RetryPolicy = RetryPolicy(), grantPeriod: Duration = .seconds(600),
        uploadTimeout: Duration = .seconds(300), readGrantLife: Duration = .seconds(60)
    ) {
        self.topicPrefix = topicPrefix
        self.lease = lease
        self.beat = beat
        self.trustMargin = trustMargin
        self.lossesMax = lossesMax
        self.retryPeriod = retryPeriod
        self.retry = retry
        self.grantPeriod = grantPeriod
        self.uploadTimeout = uploadTimeout
        self.readGrantLife = readGrantLife
    }

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
        try require(retryPeriod >= .zero, "retry_period must not be negative")
        try require(grantPeriod >= .zero, "grant_period must not be negative")
        try require(uploadTimeout >= .zero, "upload_timeout must not be negative")
        try require(readGrantLife >= .seconds(5), "read_grant_life must be at least 5 s")
    }
}
