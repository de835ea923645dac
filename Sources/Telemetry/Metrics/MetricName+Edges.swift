extension MetricName {
    static let edges: [MetricName] = [
        requests, requestSeconds, signaturesRefused, callsThrottled, auditAppendSeconds, auditHeadExportSeconds,
        auditHeadFailures, auditHeadsLost, auditHeadAgeSeconds, tlsCertificateExpiry,
    ]

    /// An operation that the service does not have is counted as `unknown`: names are the client's to choose.
    package static let requests = counter(
        "forecastle_requests", "Requests that were answered, with OK or the error's code.", "service", "operation", "code")
    package static let requestSeconds = histogram(
        "forecastle_request_seconds", callBuckets, "Time from a whole request to its answer.", "service", "operation")
    /// They are counted and not recorded in the trail: nobody is known to have made them.
    package static let signaturesRefused = counter(
        "forecastle_signatures_refused", "Requests whose signature or credentials were refused.", "code")
    package static let callsThrottled = counter("forecastle_calls_throttled", "Calls beyond a quota.", "quota")

    package static let auditAppendSeconds = histogram(
        "forecastle_audit_append_seconds", callBuckets,
        "Time until records of the audit trail were durable (record) or in their transaction (change).", "write")
    package static let auditHeadExportSeconds = histogram(
        "forecastle_audit_head_export_seconds", callBuckets, "Time of an export of signed heads.")
    package static let auditHeadFailures = counter(
        "forecastle_audit_head_failures", "Exports of heads that failed.")
    package static let auditHeadsLost = counter(
        "forecastle_audit_heads_lost",
        "Exported heads that the database lost or went back behind: somebody tampers with it.")
    package static let auditHeadAgeSeconds = gauge(
        "forecastle_audit_head_age_seconds", "Time since the last export of heads that covered everything.")
    package static let tlsCertificateExpiry = gauge(
        "forecastle_tls_certificate_expiry_timestamp_seconds", "When a certificate that this process uses ends, as Unix time.",
        "certificate")
}
