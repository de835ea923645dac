import AWSClients
import ObjectStore

extension ConfigurationKey {
    /// Every setting of Forecastle, in the order of `config/forecastle.yaml`.
    static let all: [ConfigurationKey] = [
        // Whole installation; names without a dot come first
        .init(name: "region", kind: .region, defaultValue: "us-west-2", comment: "Region in ARNs and credential scopes."),
        .init(
            name: "service_account", kind: .account, defaultValue: "999999999999",
            comment: "Account that owns Forecastle's own principals and the customers' default keys."),
        .init(
            name: "log.level", kind: .choice(["trace", "debug", "info", "notice", "warning", "error"]), defaultValue: "info",
            comment: "Lowest level that is logged."),
        .init(
            name: "log.format", kind: .choice(["text", "json"]), defaultValue: "text",
            comment: "One line an event: for people, or a JSON object."),
        .init(
            name: "dials.host", kind: .text, defaultValue: "127.0.0.1",
            comment: "Address of a process's dials (/healthz, /readyz, /metrics), plain HTTP; empty: none."),
        .init(
            name: "dials.port", kind: .integer(0...65535), defaultValue: "0",
            comment: "Port of the dials, one a process; 0 takes a free one, which the log and dials.file tell."),
        .init(
            name: "dials.file", kind: .path, defaultValue: "",
            comment: "Where the process writes its dials' address, for Prometheus's file_sd_configs; empty: nowhere."),
        .init(
            name: "migrations.directory", kind: .path, defaultValue: "",
            comment: "Folder with the numbered SQL files; empty: found beside the executable or above it."),
        .init(
            name: "secrets.require_locked", kind: .flag, defaultValue: "false",
            comment: "Refuse to start, and to make data keys, where memory for secrets cannot be locked."),

        // TLS: docs/tls.md
        .init(
            name: "tls.ca_file", kind: .path, defaultValue: "",
            comment: "Authorities (PEM) that certificates of Forecastle's own processes must come from."),

        // API
        .init(name: "api.host", kind: .text, defaultValue: "127.0.0.1", comment: "Address the Forecast API listens on."),
        .init(
            name: "api.port", kind: .integer(0...65535), defaultValue: "8001",
            comment: "Port of the Forecast and ForecastQuery APIs; 0 takes a free one."),
        .init(
            name: "api.credentials_file", kind: .path, defaultValue: "",
            comment: "Access key of the principal forecastle-api, a JSON file of mode 0600."),
        .init(
            name: "api.signing_key_file", kind: .path, defaultValue: "",
            comment: "Ed25519 private key that signs accepted job specifications, mode 0600."),
        .init(
            name: "api.require_customer_key", kind: .flag, defaultValue: "false",
            comment: "Refuse datasets and predictors that name no key."),
        .init(
            name: "api.inherit_dataset_key", kind: .flag, defaultValue: "false",
            comment: "Give a predictor without a key the key of its target dataset."),
        .init(
            name: "api.tls_certificate_file", kind: .path, defaultValue: "",
            comment: "Certificate (PEM) that the API serves with and shows to the authority; empty: plain text, here only."),
        .init(
            name: "api.tls_key_file", kind: .path, defaultValue: "", comment: "Its private key, mode 0600."),

        // Authority
        .init(name: "authority.host", kind: .text, defaultValue: "127.0.0.1", comment: "Address the authority listens on."),
        .init(
            name: "authority.port", kind: .integer(0...65535), defaultValue: "8002",
            comment: "Port of KMS, STS, IAM and CloudTrail; 0 takes a free one."),
        .init(
            name: "authority.endpoint", kind: .text, defaultValue: "http://127.0.0.1:8002",
            comment: "Where api and workers reach the authority."),
        .init(
            name: "authority.postgres", kind: .text, defaultValue: "",
            comment: "libpq connection string of the authority's database.", isSecret: true),
        .init(
            name: "authority.postgres_owner", kind: .text, defaultValue: "",
            comment: "The same as its owner, for migrate; empty: as authority.postgres.", isSecret: true),
        .init(
            name: "authority.postgres_reader", kind: .text, defaultValue: "",
            comment: "The same for what only looks: audit, verify, doctor; empty: as authority.postgres.", isSecret: true),
        .init(
            name: "authority.vault_directory", kind: .list, defaultValue: "",
            comment: "Vault, outside PostgreSQL and its backups: one directory a replica, separated by commas."),
        .init(
            name: "authority.vault_closes_after_s", kind: .integer(2...3600), defaultValue: "10", unit: "seconds",
            comment: "Keys are not used when the vault could not be written for so long."),
        .init(
            name: "authority.root_key_source", kind: .choice(["file", "mounted", "kms"]), defaultValue: "file",
            comment: "What root_key_file is: a file of our own, a mounted secret, or a key wrapped by a KMS elsewhere."),
        .init(
            name: "authority.root_key_file", kind: .path, defaultValue: "",
            comment: "Root key of the vault: 32 bytes with mode 0600 (mounted: 0440 at most), or wrapped by KMS."),
        .init(
            name: "authority.root_key_kms_key", kind: .text, defaultValue: "",
            comment: "ARN of the key that wraps the root key, where its source is kms."),
        .init(
            name: "authority.root_key_kms_endpoint", kind: .text, defaultValue: "",
            comment: "That KMS; empty: AWS's in the key's region. Never this authority itself."),
        .init(
            name: "authority.root_key_kms_credentials_file", kind: .path, defaultValue: "",
            comment: "Access key for that KMS, a JSON file of mode 0600."),
        .init(
            name: "authority.quota_percent", kind: .integer(0...1_000_000), defaultValue: "100", unit: "percent",
            comment: "Calls a second that an account may make, in parts of AWS's default quotas; 0 for no quotas."),
        .init(
            name: "authority.tls_certificate_file", kind: .path, defaultValue: "",
            comment: "Certificate (PEM) that the authority serves with; empty: plain text, on this machine only."),
        .init(
            name: "authority.tls_key_file", kind: .path, defaultValue: "", comment: "Its private key, mode 0600."),

        // Audit trail
        .init(
            name: "audit.heads_directory", kind: .path, defaultValue: "",
            comment: "Where signed heads of the audit trail go, out of reach of the database's superuser; empty: nowhere."),
        .init(
            name: "audit.signing_key_file", kind: .path, defaultValue: "",
            comment: "Ed25519 private key that signs heads, mode 0600."),
        .init(
            name: "audit.verifying_key_files", kind: .list, defaultValue: "",
            comment: "Ed25519 public keys that heads are checked with, former ones too."),
        .init(
            name: "audit.heads_interval_ms", kind: .integer(20...60_000), defaultValue: "1000", unit: "milliseconds",
            comment: "Longest time from a record to the export of a head that covers it."),
        .init(
            name: "audit.heads_stale_s", kind: .integer(0...86_400), defaultValue: "60", unit: "seconds",
            comment: "Without an export for so long the authority answers no more; 0: it goes on, and only logs and counts."),
        .init(
            name: "audit.change_shards", kind: .integer(0...64), defaultValue: "4", unit: "shards",
            comment: "Hash chains of one process for changes, so that these wait for the disk together."),

        // Customers' keys and roles, where they are not the authority's: docs/aws.md
        .init(
            name: "keys.endpoint", kind: .text, defaultValue: "",
            comment: "KMS where customers' keys live; empty: the authority. With sts.endpoint, or not at all."),
        .init(
            name: "keys.worker_role", kind: .text, defaultValue: "",
            comment: "There: ARN of Forecastle's role whose sessions use the grants of jobs."),
        .init(
            name: "keys.reader_role", kind: .text, defaultValue: "",
            comment: "There: ARN of Forecastle's role whose sessions use the grants of queries."),
        .init(
            name: "keys.sweeper_role", kind: .text, defaultValue: "",
            comment: "There: ARN of Forecastle's role that may retire every grant, and nothing else."),
        .init(
            name: "keys.caller_check", kind: .choice(["refuse", "simulate", "map", "none"]), defaultValue: "refuse",
            comment: "Who tells what callers may do there: nobody (refuse), its IAM (simulate), a file (map), nobody need (none)."
        ),
        .init(
            name: "keys.callers_file", kind: .path, defaultValue: "",
            comment: "JSON: who the authority's callers are there (simulate), or what they may do (map)."),
        .init(
            name: "sts.endpoint", kind: .text, defaultValue: "",
            comment: "STS where customers' roles live; empty: the authority."),
        .init(
            name: "aws.credentials_file", kind: .path, defaultValue: "",
            comment: "Access key of Forecastle's principal there, a JSON file of mode 0600."),
        .init(
            name: "aws.ca_file", kind: .path, defaultValue: "",
            comment: "Authorities (PEM) that servers there are believed by; empty: the system's."),
        .init(
            name: "iam.endpoint", kind: .text, defaultValue: "https://iam.amazonaws.com",
            comment: "IAM there, for simulate."),
        .init(
            name: "iam.region", kind: .text, defaultValue: "us-east-1", comment: "Region that calls of that IAM are signed for."),

        // PostgreSQL
        .init(
            name: "jobs.postgres", kind: .text, defaultValue: "",
            comment: "libpq connection string of the jobs database, each process with its own role.", isSecret: true),
        .init(
            name: "jobs.postgres_owner", kind: .text, defaultValue: "",
            comment: "The same as its owner, for migrate; empty: as jobs.postgres.", isSecret: true),
        .init(
            name: "jobs.postgres_reader", kind: .text, defaultValue: "",
            comment: "The same for what only looks: verify, doctor; empty: as jobs.postgres.", isSecret: true),
        .init(
            name: "jobs.account_tasks_max", kind: .integer(0...100_000), defaultValue: "0", unit: "tasks",
            comment: "Tasks of one account at work at once, over all workers; 0: as many as there are slots."),
        .init(
            name: "jobs.history_after_s", kind: .integer(0...86_400), defaultValue: "300", unit: "seconds",
            comment: "How long an ended job stays in the tables that work is claimed from, before it goes to the history."),
        .init(
            name: "jobs.retention_days", kind: .integer(1...36_500), defaultValue: "30", unit: "days",
            comment: "How long ended jobs and dead letters are kept."),
        .init(
            name: "postgres.administrator", kind: .text, defaultValue: "",
            comment: "Connection string of somebody who may make roles and databases, for migrate roles alone.", isSecret: true),
        .init(
            name: "postgres.connections_max", kind: .integer(2...500), defaultValue: "10", unit: "connections",
            comment: "Largest pool of one process."),
        .init(
            name: "postgres.acquire_timeout_ms", kind: .integer(10...600_000), defaultValue: "5000", unit: "milliseconds",
            comment: "Longest wait for a free connection."),
        .init(
            name: "postgres.statement_timeout_ms", kind: .integer(10...600_000), defaultValue: "10000", unit: "milliseconds",
            comment: "Longest time of one statement."),
        .init(
            name: "postgres.allow_unsafe", kind: .flag, defaultValue: "false",
            comment: "Serve on a server with fsync or full_page_writes off; for test clusters that are thrown away."),
        .init(
            name: "postgres.allow_unencrypted", kind: .flag, defaultValue: "false",
            comment: "Use servers on other machines without sslmode=verify-full, where the network itself is encrypted."),

        // Kafka
        .init(
            name: "kafka.bootstrap", kind: .text, defaultValue: "",
            comment: "Addresses of the brokers, host:port, separated by commas."),
        .init(
            name: "kafka.bootstrap_file", kind: .path, defaultValue: "",
            comment: "File that holds the address instead: the embedded broker writes one at each start."),
        .init(name: "kafka.topic_prefix", kind: .text, defaultValue: "forecastle", comment: "First part of each topic's name."),
        .init(
            name: "kafka.security_protocol", kind: .choice(["plaintext", "ssl", "sasl_plaintext", "sasl_ssl"]),
            defaultValue: "plaintext", comment: "How brokers are spoken to; the embedded one knows plaintext alone."),
        .init(
            name: "kafka.ca_file", kind: .path, defaultValue: "",
            comment: "Authorities (PEM) that brokers' certificates must come from; empty: the system's."),
        .init(
            name: "kafka.certificate_file", kind: .path, defaultValue: "",
            comment: "Certificate (PEM) that is shown to brokers that ask for one."),
        .init(
            name: "kafka.key_file", kind: .path, defaultValue: "", comment: "Its private key, mode 0600."),
        .init(
            name: "kafka.sasl_mechanism", kind: .choice(["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"]),
            defaultValue: "SCRAM-SHA-512", comment: "How the name and password are shown to brokers; PLAIN only over sasl_ssl."),
        .init(name: "kafka.sasl_username", kind: .text, defaultValue: "", comment: "Name at the brokers."),
        .init(
            name: "kafka.sasl_password_file", kind: .path, defaultValue: "",
            comment: "File of mode 0600 with the password, one line."),

        // Stores
        .init(
            name: "artifacts.directory", kind: .path, defaultValue: "",
            comment: "Directory of the artifact store; it holds ciphertext only. This or artifacts.s3.bucket."),
        .init(
            name: "artifacts.s3.bucket", kind: .text, defaultValue: "",
            comment: "Bucket of the artifact store, where it is an S3."),
        .init(
            name: "artifacts.s3.prefix", kind: .text, defaultValue: "",
            comment: "Folder in that bucket, with its slash; empty: the whole bucket."),
        .init(
            name: "artifacts.s3.endpoint", kind: .text, defaultValue: "",
            comment: "That S3, https://s3.us-west-2.amazonaws.com for instance; without TLS only on this machine."),
        .init(
            name: "artifacts.s3.region", kind: .text, defaultValue: "",
            comment: "Region that its requests are signed for; empty: region."),
        .init(
            name: "artifacts.s3.addressing", kind: .choice(S3Endpoint.Addressing.allCases.map(\.rawValue)), defaultValue: "path",
            comment: "https://host/bucket/key (path) or https://bucket.host/key (virtual)."),
        .init(
            name: "artifacts.s3.ca_file", kind: .path, defaultValue: "",
            comment: "Authorities (PEM) that this server is believed by; empty: the system's."),
        .init(
            name: "artifacts.s3.credentials_file", kind: .path, defaultValue: "",
            comment: "Access key for that bucket, a JSON file of mode 0600."),
        .init(
            name: "artifacts.s3.write_once", kind: .choice(S3ObjectStore.WriteOnce.allCases.map(\.rawValue)),
            defaultValue: "conditional",
            comment: "The server keeps names from being written twice (conditional), or the writer looks first (unchecked)."),
        .init(
            name: "buckets.directory", kind: .path, defaultValue: "",
            comment: "Directory whose folders are the customers' buckets. This or buckets.s3.endpoint."),
        .init(
            name: "buckets.s3.endpoint", kind: .text, defaultValue: "",
            comment: "S3 that has the customers' buckets; without TLS only on this machine."),
        .init(
            name: "buckets.s3.region", kind: .text, defaultValue: "",
            comment: "Region that its requests are signed for; empty: region."),
        .init(
            name: "buckets.s3.addressing", kind: .choice(S3Endpoint.Addressing.allCases.map(\.rawValue)), defaultValue: "path",
            comment: "https://host/bucket/key (path) or https://bucket.host/key (virtual)."),
        .init(
            name: "buckets.s3.ca_file", kind: .path, defaultValue: "",
            comment: "Authorities (PEM) that this server is believed by; empty: the system's."),
        .init(
            name: "buckets.s3.credentials", kind: .choice(["role", "file"]), defaultValue: "role",
            comment: "As whom: each job's session of the role that the customer named, or one access key for all."),
        .init(
            name: "buckets.s3.credentials_file", kind: .path, defaultValue: "",
            comment: "That access key, a JSON file of mode 0600."),
        .init(
            name: "buckets.s3.write_once", kind: .choice(S3ObjectStore.WriteOnce.allCases.map(\.rawValue)),
            defaultValue: "conditional",
            comment: "The server keeps names from being written twice (conditional), or the writer looks first (unchecked)."),
        .init(
            name: "buckets.owners", kind: .list, defaultValue: "",
            comment: "Accounts that own buckets, BUCKET=ACCOUNT each."),
        .init(
            name: "buckets.default_owner", kind: .text, defaultValue: "123456789012",
            comment: "Account that owns every other bucket."),

        // Worker
        .init(
            name: "worker.credentials_file", kind: .path, defaultValue: "",
            comment: "Access key of the principal forecastle-worker, a JSON file of mode 0600."),
        .init(
            name: "worker.verifying_key_file", kind: .path, defaultValue: "",
            comment: "Ed25519 public key that accepted job specifications are checked with."),
        .init(
            name: "worker.kinds", kind: .list, defaultValue: "import,train,forecast,backtest-export,forecast-export",
            comment: "Job kinds this worker takes."),
        .init(
            name: "worker.slots", kind: .integer(1...256), defaultValue: "2", unit: "tasks",
            comment: "Tasks at work at the same time."),
        .init(
            name: "worker.lease_ms", kind: .integer(500...600_000), defaultValue: "5000", unit: "milliseconds",
            comment: "A task's lease; a worker that is silent for longer loses its tasks."),
        .init(
            name: "worker.beat_ms", kind: .integer(50...60_000), defaultValue: "500", unit: "milliseconds",
            comment: "Renewal of leases, stops and revocations; at most a third of the lease."),
        .init(
            name: "worker.key_lease_ms", kind: .integer(100...60_000), defaultValue: "2000", unit: "milliseconds",
            comment: "Renewal of key leases: how soon a revoked key is noticed unannounced; 5000 where keys.endpoint is set."),
        .init(
            name: "worker.frame_bytes", kind: .integer(1024...1_048_576), defaultValue: "65536", unit: "bytes",
            comment: "Plaintext of one frame of a chunk."),
        .init(
            name: "worker.chunk_bytes", kind: .integer(65_536...268_435_456), defaultValue: "33554432", unit: "bytes",
            comment: "Plaintext of one chunk; a worker holds a few of them for each slot."),
        .init(
            name: "worker.task_bytes", kind: .integer(65_536...17_179_869_184), defaultValue: "268435456", unit: "bytes",
            comment: "Input bytes of one import task."),
        .init(
            name: "worker.attempts_max", kind: .integer(1...100), defaultValue: "5", unit: "attempts",
            comment: "Attempts of one task, lost leases included, before its job fails."),
        .init(
            name: "worker.retry_s", kind: .integer(0...86_400), defaultValue: "600", unit: "seconds",
            comment: "How long a task's attempts may end in faults of servers or the network, without progress in between."),
        .init(
            name: "worker.retry_first_ms", kind: .integer(1...3_600_000), defaultValue: "250", unit: "milliseconds",
            comment: "Longest wait before the first repetition; it doubles with each."),
        .init(
            name: "worker.retry_cap_ms", kind: .integer(1...3_600_000), defaultValue: "30000", unit: "milliseconds",
            comment: "Longest wait before any repetition."),
        .init(
            name: "worker.retry_kinds", kind: .list, defaultValue: "",
            comment: "Kinds with other waits and another deadline, KIND=FIRST_MS:CAP_MS:PERIOD_S each."),
        .init(
            name: "worker.threads", kind: .integer(1...256), defaultValue: "2", unit: "threads",
            comment: "Threads for the work of all slots."),
        .init(
            name: "worker.retire_deadline_s", kind: .integer(1...86_400), defaultValue: "120", unit: "seconds",
            comment: "Longest wait for a grant's retirement before the job ends with the grant noted as left."),
        .init(
            name: "worker.sweep_ms", kind: .integer(100...600_000), defaultValue: "1000", unit: "milliseconds",
            comment: "Interval of the sweeper."),
        .init(
            name: "worker.tls_certificate_file", kind: .path, defaultValue: "",
            comment: "Certificate (PEM) that workers show to the authority."),
        .init(
            name: "worker.tls_key_file", kind: .path, defaultValue: "", comment: "Its private key, mode 0600."),

        // Faults
        .init(
            name: "faults.points", kind: .list, defaultValue: "",
            comment: "Fault points to fire, NAME=ACTION each; empty in production: they are inert then."),
        .init(
            name: "faults.control_file", kind: .path, defaultValue: "",
            comment: "File of mode 0600 with fault points, read anew when it changes; empty in production: none is looked for."),
        .init(
            name: "faults.frame_trace", kind: .path, defaultValue: "",
            comment: "File to which workers add a line for each batch of frames and each end of a key lease; for chaos revoke."),
    ]

    static let byName = Dictionary(uniqueKeysWithValues: all.map { ($0.name, $0) })
    static let byFlag = Dictionary(uniqueKeysWithValues: all.map { ($0.flagName, $0) })
}
