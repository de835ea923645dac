extension MetricName {
    static let grantsAndKeys: [MetricName] = [
        grants, grantsCreated, grantsRetired, grantRetirementsFailed, grantsLeft, keyLeasesHeld, keyLeasesLost,
        revocationSeconds, bytesSealed, bytesOpened, secretLockFailures,
    ]

    package static let grants = gauge(
        "forecastle_grants", "Grants that are not retired, of jobs and for reading; only the leader says.", "scope", "state")
    package static let grantsCreated = counter("forecastle_grants_created", "Grants that were created for jobs.")
    package static let grantsRetired = counter("forecastle_grants_retired", "Grants that were retired.")
    package static let grantRetirementsFailed = counter(
        "forecastle_grant_retirements_failed", "Retirements that KMS refused or did not answer.")
    package static let grantsLeft = counter(
        "forecastle_grants_left", "Grants that were not retired when their job ended; the sweeper goes on.")
    package static let keyLeasesHeld = gauge("forecastle_key_leases_held", "Key leases under which this process holds data keys.")
    package static let keyLeasesLost = counter(
        "forecastle_key_leases_lost", "Key leases that ended before the work did.", "reason")
    /// By this process's clock alone: what Kafka took is not in it.
    package static let revocationSeconds = histogram(
        "forecastle_revocation_seconds", callBuckets,
        "From an announcement's arrival in this process until the keys under a lease that KMS then refused were wiped.")
    package static let bytesSealed = counter("forecastle_bytes_sealed", "Bytes of plaintext that were sealed into artifacts.")
    package static let bytesOpened = counter("forecastle_bytes_opened", "Bytes of plaintext that were opened from artifacts.")
    package static let secretLockFailures = counter(
        "forecastle_secret_lock_failures", "Memory for secrets that could not be locked and may reach swap.")
}
