import Metrics

/// The counters of the engine, under the names that the dashboards use.
enum JobMetrics {
    static func accepted(_ kind: JobKind) { count("forecastle_jobs_accepted_total", kind) }
    static func failed(_ kind: JobKind) { count("forecastle_jobs_failing_total", kind) }
    static func ended(_ kind: JobKind, _ state: JobState) {
        count("forecastle_jobs_ended_total", ["kind": kind.rawValue, "state": state.rawValue])
    }
    static func poisoned(_ kind: JobKind) { count("forecastle_jobs_poisoned_total", kind) }
    static func refused(_ kind: JobKind) { count("forecastle_job_specifications_refused_total", kind) }
    static func stopRequested(_ outcome: StopOutcome) {
        count("forecastle_job_stops_total", ["outcome": outcome.rawValue])
    }
    static func claimed(_ kind: JobKind) { count("forecastle_task_claims_total", kind) }
    static func retried(_ kind: JobKind) { count("forecastle_task_retries_total", kind) }
    static func leasesLost(_ number: Int) { count("forecastle_task_leases_lost_total", by: number) }
    static func trustLost() { count("forecastle_worker_trust_lost_total") }
    static func chunk(_ kind: JobKind, bytes: Int64) {
        count("forecastle_chunks_total", kind)
        count("forecastle_chunk_input_bytes_total", ["kind": kind.rawValue], by: Int(bytes))
    }
    static func grantCreated() { count("forecastle_grants_created_total") }
    static func grantRetired() { count("forecastle_grants_retired_total") }
    static func grantNotRetired() { count("forecastle_grants_retirement_failures_total") }
    static func grantsLeft(_ number: Int) { count("forecastle_grants_left_total", by: number) }
    static func objectsCollected(_ number: Int) { count("forecastle_objects_collected_total", by: number) }
    static func rung(_ number: Int) { count("forecastle_tasks_rung_again_total", by: number) }

    private static func count(_ name: String, _ kind: JobKind) {
        count(name, ["kind": kind.rawValue])
    }

    private static func count(_ name: String, _ dimensions: [String: String] = [:], by number: Int = 1) {
        Counter(label: name, dimensions: dimensions.map { ($0.key, $0.value) }.sorted { $0.0 < $1.0 })
            .increment(by: number)
    }
}
