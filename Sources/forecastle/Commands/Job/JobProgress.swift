import Foundation
import Jobs

/// The line of `job watch`: what a job has done, a bar where the plan says how much there is, rate and time left. Pure.
struct JobProgress {
    private var bar = ProgressBar(verb: "")
    private var began: Date?

    /// `import  running  1/4 tasks  2 chunks  960 rows  [####------]  40%  39.8 KiB of 1.0 MiB  12.0 KiB/s  3.2 s left`
    mutating func line(_ summary: JobQueries.Summary, now: Date = Date(), columns: Int) -> String {
        guard summary.job.state == .running, summary.expectedBytes > 0, let startedAt = summary.job.startedAt else {
            return summary.progress
        }
        var head = "\(summary.job.kind.rawValue)  \(summary.job.state.rawValue)"
        if summary.job.totalTasks > 0 { head += "  \(summary.finishedTasks)/\(Amount.count(summary.job.totalTasks, "task"))" }
        if summary.chunks > 0 { head += "  \(Amount.count(summary.chunks, "chunk"))" }
        if summary.rows > 0 { head += "  \(Amount.count(summary.rows, "row"))" }
        let rest = bar.line(
            bytes: Int(summary.bytes), of: Int(summary.expectedBytes), seconds: now.timeIntervalSince(startedAt),
            columns: max(columns - head.count, 40))
        return head + rest
    }
}
