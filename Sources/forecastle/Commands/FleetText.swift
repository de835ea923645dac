import AWSProtocol
import JobsSimulation

/// What a run at scale showed, for people and for programs.
struct FleetText {
    let settings: ScaleSettings
    let report: ScaleReport
    /// It took.
    let seconds: Double

    private func waits(_ sorted: [Int]) -> String {
        [0.5, 0.99].map { Amount.time(Double(ScaleReport.percentile(sorted, $0)) / 1000) }.joined(separator: " / ")
            + " / \(Amount.time(Double(sorted.last ?? 0) / 1000))"
    }

    /// A lease, and a beat until somebody looks.
    private var recoveryBound: Int { settings.lease + settings.beat }

    var lines: [String] {
        var table = TextTable(.text("what"), .number("seen"))
        table.add("workers × slots, accounts", "\(settings.workers) × \(settings.slots), \(settings.accounts)")
        table.add("jobs, tasks", "\(report.jobs), \(report.tasks)")
        table.add("simulated time", Amount.time(Double(report.milliseconds) / 1000))
        table.add("claims, renewals", "\(report.claims), \(report.renewals)")
        table.add("workers killed, stood still", "\(report.crashes), \(report.standstills)")
        table.add("late writes refused", "\(report.refused)")
        table.add(
            "recovery of a task, p50 / p99 / max (lease + beat \(Amount.time(Double(recoveryBound) / 1000)))",
            waits(report.recoveries))
        table.add("wait of an account with one job, p50 / p99 / max", waits(report.lightWaits))
        table.add("wait of an account with a backlog, p50 / p99 / max", waits(report.heavyWaits))
        table.add("whole job of an account with one, p50 / p99 / max", waits(report.lightTimes))
        table.add("whole job of an account with a backlog, p50 / p99 / max", waits(report.heavyTimes))
        if let least = report.heavyShares.first, let most = report.heavyShares.last {
            table.add(
                "tasks of an account with a backlog, least–most (Jain's index)",
                "\(least)–\(most) (\(Amount.decimals(report.fairness, 4)))")
        }
        return table.lines + report.broken.map { "BROKEN  \($0)" } + ["\(Amount.time(seconds)) of this machine"]
    }

    var json: String {
        func figures(_ sorted: [Int]) -> JSONValue {
            [
                "p50": .int(Int64(ScaleReport.percentile(sorted, 0.5))), "p99": .int(Int64(ScaleReport.percentile(sorted, 0.99))),
                "max": .int(Int64(sorted.last ?? 0)), "count": .int(Int64(sorted.count)),
            ]
        }
        let object: JSONObject = [
            "workers": .int(Int64(settings.workers)), "slots": .int(Int64(settings.slots)),
            "accounts": .int(Int64(settings.accounts)), "jobs": .int(Int64(report.jobs)), "tasks": .int(Int64(report.tasks)),
            "claims": .int(Int64(report.claims)), "renewals": .int(Int64(report.renewals)),
            "simulatedMilliseconds": .int(Int64(report.milliseconds)), "crashes": .int(Int64(report.crashes)),
            "standstills": .int(Int64(report.standstills)), "refused": .int(Int64(report.refused)),
            "recoveryMilliseconds": figures(report.recoveries), "lightWaitMilliseconds": figures(report.lightWaits),
            "heavyWaitMilliseconds": figures(report.heavyWaits), "lightJobMilliseconds": figures(report.lightTimes),
            "heavyJobMilliseconds": figures(report.heavyTimes), "fairness": .double(report.fairness),
            "broken": .strings(report.broken), "seconds": .double(seconds),
        ]
        return JSONValue.object(object).serializedString
    }
}
