import Metrics
import Telemetry

/// What the engine counts.
enum JobMetrics {
    static func accepted(_ kind: JobKind) { count(MetricName.jobsAccepted, kind) }
    static func failing(_ kind: JobKind) { count("forecastle_jobs_failing", kind) }
    static func died(_ kind: JobKind, _ reason: DeathReason) {
        count("forecastle_jobs_dead", ["kind": kind.rawValue, "reason": reason.rawValue])
    }

    static func redriven(_ kind: JobKind) { count("forecastle_jobs_redriven", kind) }

    /// Ready tasks that no worker which runs has a handler for.
    static func unserved(_ kind: JobKind, _ tasks: Int) {
        Gauge(label: "forecastle_tasks_unserved", dimensions: [("kind", kind.rawValue)]).record(tasks)
    }

    static func archived(_ number: Int) { count("forecastle_jobs_archived", by: number) }
    static func leads(_ leads: Bool) { Gauge(label: "forecastle_sweeper_leads").record(leads ? 1 : 0) }

    static func refused(_ kind: JobKind) { count("forecastle_job_specifications_refused", kind) }

    static func ended(_ kind: JobKind, _ state: JobState) {
        count(MetricName.jobsFinished, ["kind": kind.rawValue, "outcome": state.rawValue])
    }

    static func stopRequested(_ outcome: StopOutcome) {
        count("forecastle_job_stops", ["outcome": outcome.rawValue])
    }

    static func claimed(_ kind: JobKind) { count(MetricName.tasksClaimed, kind) }
    static func retried(_ kind: JobKind) { count("forecastle_task_retries", kind) }

    /// An attempt ended, after this long.
    static func attemptEnded(_ kind: JobKind, outcome: String, seconds: Duration) {
        let dimensions = ["kind": kind.rawValue, "outcome": outcome]
        count(MetricName.tasksFinished, dimensions)
        let (whole, attoseconds) = seconds.components
        Timer(label: MetricName.taskSeconds, dimensions: sorted(dimensions))
            .recordNanoseconds(whole * 1_000_000_000 + attoseconds / 1_000_000_000)
    }

    static func running(_ number: Int) { Gauge(label: MetricName.tasksRunning).record(number) }
    static func fencedWrite() { count(MetricName.fencedWrites) }
    static func leasesExpired(_ number: Int) { count(MetricName.leasesExpired, by: number) }
    static func trustEnded() { count("forecastle_worker_trust_ended") }

    static func chunk(_ kind: JobKind, bytes: Int64) {
        count("forecastle_chunks", kind)
        count("forecastle_chunk_input_bytes", ["kind": kind.rawValue], by: Int(bytes))
    }

    static func grantCreated() { count(MetricName.grantsCreated) }
    static func grantRetired() { count(MetricName.grantsRetired) }
    static func grantNotRetired() { count("forecastle_grant_retirements_failed") }
    static func grantsLeft(_ number: Int) { count("forecastle_grants_left", by: number) }
    static func objectsCollected(_ number: Int) { count(MetricName.objectsCollected, by: number) }
    static func rungAgain(_ number: Int) { count("forecastle_tasks_rung_again", by: number) }

    private static func count(_ name: String, _ kind: JobKind) {
        count(name, ["kind": kind.rawValue])
    }

    private static func count(_ name: String, _ dimensions: [String: String] = [:], by number: Int = 1) {
        Counter(label: name, dimensions: sorted(dimensions)).increment(by: number)
    }

    private static func sorted(_ dimensions: [String: String]) -> [(String, String)] {
        dimensions.map { ($0.key, $0.value) }.sorted { $0.0 < $1.0 }
    }
}
