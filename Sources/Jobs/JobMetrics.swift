import FoundationEssentials
import Telemetry

/// What the engine counts.
enum JobMetrics {
    /// What a worker of these kinds may count, at 0: what has not happened yet is then seen as that and not as missing.
    static func declareWorker(_ kinds: [JobKind]) {
        for kind in kinds {
            for name: MetricName in [
                .jobsFailing, .jobsRedriven, .specificationsRefused, .tasksClaimed, .taskRetries, .chunks, .chunkInputBytes,
                .chunkRows,
            ] { count(name, kind, by: 0) }
            for outcome in ["succeeded", "failed", "stopped"] {
                count(.jobsFinished, kind, [("outcome", outcome)], by: 0)
                _ = Measure.time(.jobSeconds, [("kind", kind.rawValue), ("outcome", outcome)])
            }
            for outcome in ["done", "error"] {
                count(.tasksFinished, kind, [("outcome", outcome)], by: 0)
                _ = Measure.time(.taskSeconds, [("kind", kind.rawValue), ("outcome", outcome)])
            }
            for reason in DeathReason.allCases { count(.jobsDead, kind, [("reason", reason.rawValue)], by: 0) }
            Measure.set(.tasksUnserved, [("kind", kind.rawValue)], to: 0)
        }
        for loss in HeldLease.Loss.allCases { leaseLost(loss, by: 0) }
        for name: MetricName in [
            .leasesExpired, .fencedWrites, .grantsCreated, .grantsRetired, .grantRetirementsFailed, .grantsLeft,
            .objectsCollected, .tasksRungAgain, .jobsArchived,
        ] { Measure.count(name, by: 0) }
        Measure.set(.sweeperLeads, to: 0)
        Measure.set(.tasksRunning, to: 0)
    }

    static func declareEngine() {
        for outcome in StopOutcome.allCases { Measure.count(.jobStops, [("outcome", outcome.rawValue)], by: 0) }
    }

    static func accepted(_ kind: JobKind) { count(.jobsAccepted, kind) }
    static func failing(_ kind: JobKind) { count(.jobsFailing, kind) }
    static func died(_ kind: JobKind, _ reason: DeathReason) { count(.jobsDead, kind, [("reason", reason.rawValue)]) }
    static func redriven(_ kind: JobKind) { count(.jobsRedriven, kind) }

    /// Ready tasks that no worker which runs has a handler for.
    static func unserved(_ tasks: [JobKind: Int]) {
        Measure.replace(.tasksUnserved, tasks.map { ([("kind", $0.key.rawValue)], Double($0.value)) })
    }

    static func archived(_ number: Int) { Measure.count(.jobsArchived, by: number) }
    static func leads(_ leads: Bool) { Measure.set(.sweeperLeads, to: leads ? 1 : 0) }
    static func refused(_ kind: JobKind) { count(.specificationsRefused, kind) }

    static func ended(_ job: JobRecord, _ state: JobState) {
        let labels = [("kind", job.kind.rawValue), ("outcome", state.rawValue)]
        Measure.count(.jobsFinished, labels)
        Measure.observe(.jobSeconds, labels, .seconds(max(0, Date().timeIntervalSince(job.acceptedAt))))
    }

    static func stopRequested(_ outcome: StopOutcome) { Measure.count(.jobStops, [("outcome", outcome.rawValue)]) }
    static func claimed(_ kind: JobKind) { count(.tasksClaimed, kind) }
    static func retried(_ kind: JobKind) { count(.taskRetries, kind) }

    /// An attempt ended, after this long.
    static func attemptEnded(_ kind: JobKind, outcome: String, after time: Duration) {
        let labels = [("kind", kind.rawValue), ("outcome", outcome)]
        Measure.count(.tasksFinished, labels)
        Measure.observe(.taskSeconds, labels, time)
    }

    static func running(_ number: Int) { Measure.set(.tasksRunning, to: Double(number)) }
    static func fencedWrite() { Measure.count(.fencedWrites) }
    static func leasesExpired(_ number: Int) { Measure.count(.leasesExpired, by: number) }
    static func leaseLost(_ loss: HeldLease.Loss, by number: Int = 1) {
        Measure.count(.leasesLost, [("reason", loss.rawValue)], by: number)
    }

    static func chunk(_ kind: JobKind, bytes: Int64, rows: Int64) {
        count(.chunks, kind)
        count(.chunkInputBytes, kind, by: Int(bytes))
        count(.chunkRows, kind, by: Int(rows))
    }

    static func grantCreated() { Measure.count(.grantsCreated) }
    static func grantRetired() { Measure.count(.grantsRetired) }
    static func grantNotRetired() { Measure.count(.grantRetirementsFailed) }
    static func grantsLeft(_ number: Int) { Measure.count(.grantsLeft, by: number) }
    static func objectsCollected(_ number: Int) { Measure.count(.objectsCollected, by: number) }
    static func rungAgain(_ number: Int) { Measure.count(.tasksRungAgain, by: number) }

    private static func count(_ name: MetricName, _ kind: JobKind, _ more: Measure.Labels = [], by number: Int = 1) {
        Measure.count(name, [("kind", kind.rawValue)] + more, by: number)
    }
}
