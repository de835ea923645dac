import AWSClients
import AWSProtocol
import Foundation
import Jobs

/// One run of the main job: a customer's preparations, the four jobs, and what came of them.
struct DemoRun: Sendable {
    /// A job that has shown no progress for so long is taken for hung.
    static let stallTimeout: Duration = .seconds(300)

    let client: EnvironmentClient
    let queries: JobQueries
    let folder: DataFolder
    let bucket: DemoBucket
    let series: DemoSeries
    let story: DemoStory
    let tag: String

    /// What the reports need.
    struct Outcome {
        var data: DemoCustomer.Access
        var model: DemoCustomer.Access
        var predictor: String
        var forecast: String
        var jobs: [JobQueries.Summary]
    }

    /// `{region, account, dataset…}` as `DemoReport` gathers it.
    func run() async throws -> JSONObject {
        let identity = try await client.identity()
        let customer = DemoCustomer(client: client, account: identity.account, folder: folder)
        story.say(
            "A customer puts a CSV into its bucket and makes two keys of its own, each with a role that Forecast may assume.")
        let data = try await customer.access("DemoData_\(tag)")
        let model = try await customer.access("DemoModel_\(tag)")
        let steps = DemoSteps(client: client, series: series, data: data, model: model, tag: tag)
        let size = try await bucket.put(series.file, as: steps.folder + "/history.csv")
        story.fact("caller", identity.arn)
        story.fact("history", "s3://\(DemoCustomer.bucket)/\(steps.folder)/history.csv, \(Amount.bytes(size))")
        story.fact("data key", data.key)
        story.fact("model key", model.key)

        var jobs: [JobQueries.Summary] = []
        story.say("Import: every row is checked and sealed in chunks under the data key, with a grant that only this import has.")
        let (dataset, group) = try await steps.createDataset()
        jobs.append(try await follow(try await steps.importData(dataset)))
        story.say(
            "Train: a model per series, chosen by backtest. The data are read under their own key; the predictor lies under another."
        )
        let predictor = try await steps.train(group)
        jobs.append(try await follow(predictor))
        story.say("Forecast: under the predictor's key, as everything that comes after it.")
        let forecast = try await steps.forecast(predictor)
        jobs.append(try await follow(forecast))
        story.say("Export the backtests: into the customer's bucket, as AWS Encryption SDK messages under the model key.")
        jobs.append(try await follow(try await steps.exportBacktests(predictor)))

        return try await DemoReport(run: self).show(
            Outcome(data: data, model: model, predictor: predictor, forecast: forecast, jobs: jobs))
    }

    /// Shows a job while it runs. Whoever sees its end here sees it in Describe too: both change in one transaction.
    private func follow(_ arn: String) async throws -> JobQueries.Summary {
        guard let job = try await queries.list(limit: JobQueries.listLimitMax).first(where: { $0.job.resourceARN == arn }) else {
            throw DemoFailure(description: "there is no job for \(arn)")
        }
        var line = ProgressLine(story.handle)
        var last = job
        var changed = ContinuousClock.now
        for try await summary in queries.watch(job.job.id, every: .milliseconds(100)) {
            if !summary.hasEqualProgress(to: last) { changed = .now }
            last = summary
            line.update("    " + summary.progress, key: summary.job.state.rawValue)
            guard changed.duration(to: .now) < Self.stallTimeout else {
                line.finish()
                throw DemoFailure(description: "\(arn): no progress for \(Self.stallTimeout); logs: \(folder.logs)")
            }
        }
        line.finish()
        let (status, message) = try await DemoSteps.status(arn, client)
        guard status == "ACTIVE" else {
            throw DemoFailure(description: "\(arn) is \(status): \(message ?? "it gives no reason"); logs: \(folder.logs)")
        }
        return last
    }
}

extension JobQueries.Summary {
    fileprivate func hasEqualProgress(to other: JobQueries.Summary) -> Bool {
        job.state == other.job.state && bytes == other.bytes && rows == other.rows && chunks == other.chunks
            && finishedTasks == other.finishedTasks
    }
}
