import AWSProtocol
import Foundation

/// What was measured, and the model made of it.
struct CapacityFindings: Sendable {
    /// What the model says of the run with three workers, and what that used.
    struct Check: Sendable {
        let kind: String
        let predicted: Double
        let seen: Double
    }

    var model = CapacityModel()
    /// A second, without any worker.
    var base: [String: Double] = [:]
    var checks: [Check] = []
    var jobs = 0
}

/// What one process of a kind can do, as other benchmarks recorded it on a machine of two cores; nil where there is no record.
struct CapacityLimits: Sendable {
    let authorityCalls: Double?
    let tasks: Double?
    let acceptedJobs: Double?
    /// PostgreSQL's `max_connections` of the embedded cluster.
    let connections = 400.0
    /// Transactions a second of PostgreSQL alone, one a session at a time.
    let transactions: Double?

    init(records folder: String) {
        func spread(_ file: String, _ bench: String, _ name: String, _ figure: (BenchSample) -> Double) -> Double? {
            (try? BenchRecord.results(ofFile: "\(folder)/\(file).json", bench: bench))?.named(name)?.spread(figure)?.median
        }
        authorityCalls = spread("authority", "authority", "gdk.ours.64", \.requestsPerSecond)
        transactions = spread("authority", "authority", "commit.postgres.64", \.requestsPerSecond)
        tasks = spread("jobs", "jobs", "tasks.2") { Double($0.bytes) / $0.wallSeconds }
        acceptedJobs = spread("api", "api", "api.accept", \.requestsPerSecond)
    }
}

/// The record of `forecastle bench capacity` for people.
struct CapacityReport {
    let machine: BenchMachine
    let findings: CapacityFindings
    let slots: Int
    let jobSeconds: Double
    let limits: CapacityLimits

    static let fleets = [10, 100, 1000]
    private static let accounts = 1_000_000.0
    private static let resourcesOfAnAccount = 10.0
    private static let secondsOfADay = 86_400.0

    private var model: CapacityModel { findings.model }

    private func fleet(_ workers: Int) -> CapacityModel.Fleet {
        var fleet = CapacityModel.Fleet(workers: workers, slots: slots, jobSeconds: jobSeconds)
        if let calls = limits.authorityCalls { fleet.authorityCallsPerSecond = calls }
        if let accepted = limits.acceptedJobs { fleet.apiRequestsPerSecond = accepted }
        return fleet
    }

    var text: [String] {
        [machine.line, ""] + units.lines.map { "  " + $0 } + ["", "predicted from one worker, seen with three"]
            + checks.lines.map { "  " + $0 } + ["", "needs"] + needs.lines.map { "  " + $0 } + ["", bend]
    }

    var markdown: [String] {
        [
            "", "\(machine.line). \(findings.jobs) small imports of two tenants in each measurement.", "",
            "### What one uses", "",
        ] + units.markdown + [
            "", "### The model against a measurement", "",
            "Made from one worker, held against \(BenchCapacity.checkedWorkers).", "",
        ] + checks.markdown + [
            "", "### What fleets need", "",
            "Workers of \(slots) slots, all busy, jobs of \(Amount.decimals(jobSeconds, 0)) s in their slot, key leases renewed "
                + "every 2 s. A million accounts of \(Int(Self.resourcesOfAnAccount)) resources.", "",
        ] + needs.markdown + ["", bend, ""]
    }

    private static func amount(_ value: Double, _ kind: String) -> String {
        if kind.hasSuffix("ytes") { return Amount.bytes(Int64(value)) }
        return Amount.decimals(value, value < 10 ? 2 : 0)
    }

    private var units: TextTable {
        var table = TextTable(
            .text("of"), .number("nobody, a second"), .number("an idle worker, a second"), .number("a job"))
        for kind in CapacityReading.kinds {
            table.add(
                kind.title, Self.amount(findings.base[kind.name] ?? 0, kind.name),
                Self.amount(model.perIdleWorkerSecond[kind.name] ?? 0, kind.name),
                Self.amount(model.perJob[kind.name] ?? 0, kind.name))
        }
        table.add(
            "sessions at PostgreSQL",
            "API \(Int(model.apiConnections)), authority \(Int(model.authorityConnections))",
            Amount.decimals(model.workerConnections, 1), "")
        return table
    }

    private var checks: TextTable {
        var table = TextTable(.text("of"), .number("predicted"), .number("seen"), .number("ratio"))
        for check in findings.checks {
            table.add(
                check.kind, Self.amount(check.predicted, check.kind), Self.amount(check.seen, check.kind),
                check.seen > 0 ? Amount.decimals(check.predicted / check.seen, 2) : "–")
        }
        return table
    }

    private var needs: TextTable {
        var table = TextTable(
            .text("need"), .number("10 workers"), .number("100 workers"), .number("1,000 workers"), .number("one can do"))
        func add(_ title: String, _ limit: Double?, _ value: (CapacityModel.Fleet) -> String) {
            let cells = Self.fleets.map { value(fleet($0)) }
            table.add(title, cells[0], cells[1], cells[2], limit.map { Amount.decimals($0, 0) } ?? "")
        }
        add("jobs a second", limits.acceptedJobs) { Amount.decimals($0.jobsPerSecond, 1) }
        for kind in CapacityReading.kinds {
            let limit: Double? =
                kind.name == "auditRecords" ? limits.authorityCalls : kind.name == "transactions" ? limits.transactions : nil
            add("\(kind.title) a second", limit) { Self.amount(model.perSecond(kind.name, $0), kind.name) }
        }
        add("authority processes", nil) { Amount.decimals(max(1, model.authorityProcesses($0)), 0) }
        add("sessions at PostgreSQL", limits.connections) { Amount.decimals(model.connections($0), 0) }
        add("rows that a claim reads (tasks at work)", nil) { Amount.decimals(model.runningTasks($0), 0) }
        add("trail on disk a day", nil) {
            Amount.bytes(Int64(model.perSecond("auditRecords", $0) * model.auditRowBytes * Self.secondsOfADay))
        }
        add("resources of a million accounts on disk", nil) { _ in
            Amount.bytes(Int64(Self.accounts * Self.resourcesOfAnAccount * model.resourceRowBytes))
        }
        return table
    }

    /// What runs out first as the fleet grows.
    private var shares: [(title: String, workers: Double)] {
        let one = fleet(1000)
        var shares: [(String, Double)] = [
            ("sessions at PostgreSQL", 1000 * limits.connections / model.connections(one))
        ]
        if let calls = limits.authorityCalls {
            shares.append(("calls of one authority process", 1000 * calls / model.perSecond("auditRecords", one)))
        }
        if let transactions = limits.transactions {
            shares.append(("transactions of one PostgreSQL", 1000 * transactions / model.perSecond("transactions", one)))
        }
        if let accepted = limits.acceptedJobs { shares.append(("jobs accepted by one API", 1000 * accepted / one.jobsPerSecond)) }
        return shares.sorted { $0.1 < $1.1 }
    }

    private var bend: String {
        "In the order in which they run out: "
            + shares.map { "\($0.title) at \(Int($0.workers)) workers" }.joined(separator: ", ") + "."
    }

    var json: JSONValue {
        [
            "bench": "capacity", "machine": machine.json, "slots": .int(Int64(slots)), "jobSeconds": .double(jobSeconds),
            "model": .object(model.json),
            "checks": .array(
                findings.checks.map {
                    ["kind": .string($0.kind), "predicted": .double($0.predicted), "seen": .double($0.seen)] as JSONValue
                }),
            "runsOut": .array(
                shares.map { ["of": .string($0.title), "workers": .double($0.workers)] as JSONValue }),
        ]
    }
}
