import AWSProtocol
import Forecasting
import Foundation
import Jobs

/// What came of a run: jobs, accuracy, plot, and the life of every grant; for people and as JSON.
struct DemoReport {
    let run: DemoRun

    private var story: DemoStory { run.story }
    private var client: EnvironmentClient { run.client }

    /// `{predictor, forecast, jobs [as forecastle job list --json], metrics, plot, keys [{name, key, role, grants [{grantId, name,
    /// operations, createdAt, uses, retiredAt}]}]}`
    func show(_ outcome: DemoRun.Outcome) async throws -> JSONObject {
        var result: JSONObject = ["predictor": .string(outcome.predictor), "forecast": .string(outcome.forecast)]
        jobs(outcome.jobs)
        result["jobs"] = .array(outcome.jobs.map { .object($0.json) })
        result["metrics"] = try await accuracy(of: outcome.predictor)
        result["plot"] = .string(try await plot(outcome.forecast))
        var keys: [JSONValue] = []
        for (name, access) in [("data key", outcome.data), ("model key", outcome.model)] {
            keys.append(try await grants(name, access, outcome.jobs))
        }
        result["keys"] = .array(keys)
        story.line("")
        story.line("  Dry runs ask KMS without doing: at acceptance, whether role and key would do (check: CreateDataset's);")
        story.line("  while a job works, whether its key may still be used. That is its key lease: a revoked key ends it there.")
        story.line(
            "  Check: ListGrants on both keys names no grant of a job, and the trail has a RetireGrant for each CreateGrant.")
        next(outcome)
        return result
    }

    private func jobs(_ jobs: [JobQueries.Summary]) {
        story.title("Jobs")
        var table = TextTable(
            .text("job"), .text("id"), .text("state"), .number("waited"), .number("ran"), .number("in all"), .number("tasks"),
            .number("chunks"), .number("rows"), .number("bytes in"))
        for summary in jobs {
            let job = summary.job
            let ran = job.startedAt.flatMap { start in job.finishedAt?.timeIntervalSince(start) }
            table.add(
                job.kind.rawValue, String(job.id.description.prefix(8)), job.state.rawValue,
                Amount.time(job.startedAt?.timeIntervalSince(job.acceptedAt) ?? 0), Amount.time(ran ?? 0),
                Amount.time(summary.seconds()), "\(job.totalTasks)", "\(summary.chunks)", "\(summary.rows)",
                summary.bytes > 0 ? Amount.bytes(summary.bytes) : "–")
        }
        story.table(table)
    }

    private func accuracy(of predictor: String) async throws -> JSONValue {
        let answer = try await client.call(.forecast, "GetAccuracyMetrics", ["PredictorArn": .string(predictor)])
        let windows = answer["PredictorEvaluationResults"]?.arrayValue?.first?["TestWindows"]?.arrayValue ?? []
        guard let metrics = windows.first?["Metrics"] else {
            throw DemoFailure(description: "GetAccuracyMetrics gave no metrics")
        }
        story.title("Accuracy in the backtest: the last horizon forecast from what came before it")
        var table = TextTable(.text("metric"), .number("value"), .text("means"))
        for loss in metrics["WeightedQuantileLosses"]?.arrayValue ?? [] {
            let quantile = loss["Quantile"]?.doubleValue ?? 0
            table.add(
                "wQL[\(quantile)]", Amount.decimals(loss["LossValue"]?.doubleValue ?? .nan, 4),
                "weighted loss of the quantile p\(Int((quantile * 100).rounded()))")
        }
        table.add(
            "average wQL", Amount.decimals(metrics["AverageWeightedQuantileLoss"]?.doubleValue ?? .nan, 4), "of all quantiles")
        let errors = metrics["ErrorMetrics"]?.arrayValue?.first { $0["ForecastType"]?.stringValue == "0.5" }
        let meanings = [
            ("WAPE", "of the median: sum of errors by sum of values"), ("RMSE", "of the median: in units of the series"),
            ("MAPE", "of the median: mean share of error"),
            ("MASE", "of the median: below 1 is better than repeating the last season"),
        ]
        for (name, meaning) in meanings {
            let value = errors?[name]?.doubleValue
            table.add(name, Amount.decimals(value ?? .nan, 4), meaning)
        }
        story.table(table)
        return metrics
    }

    private func plot(_ forecast: String) async throws -> String {
        let history = try run.series.history()
        var plots: [ForecastPlot] = []
        for item in run.series.plotted {
            let answer = try await client.call(
                .forecastquery, "QueryForecast", ["ForecastArn": .string(forecast), "Filters": ["item_id": .string(item)]])
            plots.append(
                try DemoPlot.plot(item, history[item] ?? [], answer["Forecast"]?["Predictions"]?.objectValue ?? [:]))
        }
        let file = run.folder.path + "/forecast.svg"
        try Data(ForecastPlot.page(plots).utf8).write(to: URL(fileURLWithPath: file))
        story.title("Plot of the history with p10, p50 and p90")
        story.line("  \(file)")
        return file
    }

    // MARK: Grants

    private func grants(_ name: String, _ access: DemoCustomer.Access, _ jobs: [JobQueries.Summary]) async throws -> JSONValue {
        let lives = try await DemoTrail(client: client).lives(of: access)
        story.title("The \(name) in the audit trail: who got to it, by which grant")
        var table = TextTable(.text("for"), .text("time"), .text("event"), .text("by"), .text("grant"))
        for chapter in lives.chapters {
            for (number, line) in chapter.lines.enumerated() {
                table.add(
                    number == 0 ? title(of: chapter, jobs) : "", line.time,
                    line.event + (line.count > 1 ? " ×\(line.count)" : ""), line.who, line.grant)
            }
        }
        story.table(table)
        if lives.grants.contains(where: { !$0.isOfJob && $0.retiredAt == nil }) {
            story.line(
                "  Grants for reading (queries, metrics, statistics) are retired about a minute after their last use.")
        }
        try await check(name, access, lives)
        let grants = lives.grants.map { grant -> JSONValue in
            [
                "grantId": .string(grant.id), "name": .string(grant.name), "operations": .strings(grant.operations),
                "createdAt": .string(grant.createdAt),
                "uses": .object(JSONObject(grant.uses.sorted { $0.key < $1.key }.map { ($0.key, .int(Int64($0.value))) })),
                "retiredAt": .optional(grant.retiredAt),
            ]
        }
        return ["name": .string(name), "key": .string(access.key), "role": .string(access.role), "grants": .array(grants)]
    }

    private func title(of chapter: GrantLives.Chapter, _ jobs: [JobQueries.Summary]) -> String {
        if chapter.key == GrantLives.reading || chapter.key == GrantLives.unknown { return chapter.key }
        let job = jobs.first { chapter.key == "forecast-\($0.job.id)" }
        return job?.job.kind.rawValue ?? "check"
    }

    /// The promise that the whole thing rests on, asked of KMS and of the trail.
    private func check(_ name: String, _ access: DemoCustomer.Access, _ lives: GrantLives) async throws {
        var marker: JSONValue?
        repeat {
            var request: JSONObject = ["KeyId": .string(access.key)]
            request.append("Marker", ifPresent: marker)
            let page = try await client.call(.kms, "ListGrants", request)
            let left = (page["Grants"]?.arrayValue ?? []).filter { $0["Name"]?.stringValue?.hasPrefix("job/") == true }
            guard left.isEmpty else { throw DemoFailure(description: "\(left.count) grants of jobs are left on the \(name)") }
            marker = page["Truncated"]?.boolValue == true ? page["NextMarker"] : nil
        } while marker != nil
        let open = lives.grants.filter { $0.isOfJob && $0.retiredAt == nil }
        guard open.isEmpty else {
            throw DemoFailure(description: "the trail has no RetireGrant for \(open.count) grants of jobs on the \(name)")
        }
    }

    private func next(_ outcome: DemoRun.Outcome) {
        let executable = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? "forecastle"
        story.title("Next (deploy/demo --keep leaves this cluster running; deploy/up --detach starts an empty one to stay)")
        story.line(
            """
              source \(run.folder.environment)
              aws forecast list-predictors
              aws forecastquery query-forecast --forecast-arn \(outcome.forecast) --filters item_id=\(run.series.plotted[0])
              aws kms list-grants --key-id \(outcome.model.key)
              aws cloudtrail lookup-events --lookup-attributes AttributeKey=EventName,AttributeValue=RetireGrant
              \(executable) job list
            docs/first-job.md does all of it by hand, opens an artifact with the AWS Encryption SDK and revokes a key in the middle of a job.
            """)
    }
}
