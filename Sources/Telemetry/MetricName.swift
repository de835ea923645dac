/// The names of everything that is counted, in one place. Counters get `_total` when they are rendered; times are in seconds.
///
/// Labels hold kinds, states and codes, never ids, ARNs or values of customers: their number must stay small.
package enum MetricName {
    // Jobs: labels `kind`, `outcome`.
    package static let jobsAccepted = "forecastle_jobs_accepted"
    package static let jobsFinished = "forecastle_jobs_finished"
    package static let tasksClaimed = "forecastle_tasks_claimed"
    package static let tasksFinished = "forecastle_tasks_finished"
    /// Writes that came too late: their fence or epoch was no longer the one of the row.
    package static let fencedWrites = "forecastle_fenced_writes"
    package static let leasesExpired = "forecastle_leases_expired"
    package static let tasksRunning = "forecastle_tasks_running"
    package static let taskSeconds = "forecastle_task_seconds"
    /// Messages that name a job kind or version which this worker does not know.
    package static let messagesUnknown = "forecastle_messages_unknown"

    // Outbox and Kafka: label `topic`.
    package static let outboxPublished = "forecastle_outbox_published"
    package static let outboxFailures = "forecastle_outbox_failures"
    package static let kafkaClientsRebuilt = "forecastle_kafka_clients_rebuilt"

    // Keys: labels `operation`, `outcome`.
    package static let keyOperations = "forecastle_key_operations"
    package static let grantsCreated = "forecastle_grants_created"
    package static let grantsRetired = "forecastle_grants_retired"
    package static let keyLeasesLost = "forecastle_key_leases_lost"

    // Data.
    package static let bytesSealed = "forecastle_bytes_sealed"
    package static let bytesOpened = "forecastle_bytes_opened"
    package static let rowsImported = "forecastle_rows_imported"
    package static let objectsCollected = "forecastle_objects_collected"

    // Edges: labels `operation`, `status`.
    package static let requests = "forecastle_requests"
    package static let requestSeconds = "forecastle_request_seconds"
    /// Label `code`. They are counted and not recorded in the trail: nobody is known to have made them.
    package static let signaturesRefused = "forecastle_signatures_refused"
    /// Calls beyond a quota, label `quota`.
    package static let callsThrottled = "forecastle_calls_throttled"

    // TLS: label `file`, the setting that names it.
    /// Until the certificate that a process uses expires; negative once it has.
    package static let certificateDaysLeft = "forecastle_certificate_days_left"

    // The audit trail.
    package static let auditHeadExportSeconds = "forecastle_audit_head_export_seconds"
    package static let auditHeadFailures = "forecastle_audit_head_failures"
    /// Exported heads that the database lost or went back behind: somebody tampers with it.
    package static let auditHeadsLost = "forecastle_audit_heads_lost"
}
