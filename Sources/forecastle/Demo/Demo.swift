import AWSProtocol
import ArgumentParser
import Forecasting
import Foundation
import Jobs
import Logging
import Postgres
import TimeSeries

/// `forecastle demo`: the main job as a customer sees it, told step by step. deploy/demo starts the cluster for it.
struct Demo: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run import, training, forecast and backtest export on real series and show what happened.",
        discussion: "Needs a running cluster (forecastle up) and its env file sourced.")

    private static let jobTimeout: Duration = .seconds(600)

    @Option(help: "Folder of the cluster.")
    var data: String

    @Option(help: "Folder with the shipped series.")
    var series: String

    @Option(help: ArgumentHelp("Generate this many daily series of this many days instead.", valueName: "items,days"))
    var generate: String?

    func run() async throws {
        let folder = DataFolder(data)
        let client = try DemoClient(environment: ProcessInfo.processInfo.environment)
        let series = try chosenSeries(folder)
        let region = try client.variable("AWS_REGION")
        let customer = DemoCustomer(client: client, account: EmbeddedCluster.customer, region: region, folder: folder)

        say("A customer puts a CSV into its bucket and makes two keys of its own, each with a role that Forecast may assume.")
        let bucket = try client.variable("FORECASTLE_BUCKETS") + "/" + DemoCustomer.bucket
        try FileManager.default.createDirectory(atPath: bucket, withIntermediateDirectories: true)
        try FileManager.default.copyItem(atPath: series.file, toPath: bucket + "/history.csv")
        let dataAccess = try await customer.access("DemoData")
        let modelAccess = try await customer.access("DemoModel")
        show("history", "s3://\(DemoCustomer.bucket)/history.csv")
        show("data key", dataAccess.key)
        show("model key", modelAccess.key)

        let steps = DemoSteps(client: client, series: series, data: dataAccess, model: modelAccess)
        say("Import: every row is checked and sealed in chunks under the data key, with a grant that only this import has.")
        let dataset = try await steps.createDataset()
        try await watch(try await steps.importData(dataset), client)
        say(
            "Train: models are chosen per series by backtest. The dataset is read under its own key, the predictor lies under another."
        )
        let predictor = try await steps.train(dataset)
        try await watch(predictor, client)
        say("Forecast: under the predictor's key, as everything that comes after it.")
        let forecast = try await steps.forecast(predictor)
        try await watch(forecast, client)
        say("Export the backtests: AWS Encryption SDK messages in the customer's bucket, under the model key.")
        try await watch(try await steps.exportBacktests(predictor), client)

        try await report(jobs: folder)
        try await reportAccuracy(predictor, client)
        try await plot(forecast, series, client, to: folder.path + "/forecast.svg")
        for (name, access) in [("data key", dataAccess), ("model key", modelAccess)] {
            try await reportTrail(name, access, client)
        }
        next()
    }

    private func chosenSeries(_ folder: DataFolder) throws -> DemoSeries {
        guard let generate else { return .shipped(in: series) }
        let numbers = generate.split(separator: ",").compactMap { Int($0) }
        guard numbers.count == 2, numbers[0] > 0, (16...3650).contains(numbers[1]) else {
            throw ValidationError("--generate takes ITEMS,DAYS: at least one item and 16 to 3650 days")
        }
        return try .generated(items: numbers[0], days: numbers[1], to: folder.path + "/generated.csv")
    }

    // MARK: Progress

    private func watch(_ arn: String, _ client: DemoClient) async throws {
        let began = ContinuousClock.now
        var shown = ""
        while true {
            let (status, message) = try await DemoSteps.status(arn, client)
            if status != shown {
                print("    \(Self.seconds(began.duration(to: .now)))  \(status)")
                fflush(nil)
                shown = status
            }
            switch status {
            case "ACTIVE": return
            case "CREATE_FAILED", "CREATE_STOPPED":
                throw DemoClient.Failure(description: "\(arn) is \(status): \(message ?? "no message")")
            default: break
            }
            guard began.duration(to: .now) < Self.jobTimeout else {
                throw DemoClient.Failure(description: "\(arn) is still \(status) after \(Self.jobTimeout)")
            }
            try await Task.sleep(for: .milliseconds(100))
        }
    }

    // MARK: Report

    private func report(jobs folder: DataFolder) async throws {
        let values = try ConfigurationValues(file: folder.configuration, environment: [:], flags: [:])
        let pool = PostgresPool(
            configuration: .init(connection: try values.required("jobs.postgres"), applicationName: "forecastle demo"),
            logger: Logger(label: "demo") { _ in SwiftLogNoOpLogHandler() })
        defer { pool.close() }
        title("Jobs")
        var table = DemoTable(["job", "state", "seconds", "tasks", "chunks", "rows", "bytes in"])
        for job in try await JobQueries(pool: pool).list(limit: 10).reversed() {
            let seconds = job.job.finishedAt.map { $0.timeIntervalSince(job.job.acceptedAt) } ?? 0
            table.add([
                job.job.kind.rawValue, job.job.state.rawValue, Self.decimals(seconds, 2), "\(job.job.totalTasks)",
                "\(job.chunks)",
                "\(job.rows)", "\(job.bytes)",
            ])
        }
        table.show()
    }

    private func reportAccuracy(_ predictor: String, _ client: DemoClient) async throws {
        let answer = try await client.call(.forecast, "GetAccuracyMetrics", ["PredictorArn": .string(predictor)])
        guard let metrics = answer["PredictorEvaluationResults"]?.arrayValue?.first?["TestWindows"]?.arrayValue?.first?["Metrics"]
        else { return }
        title("Accuracy in the backtest (GetAccuracyMetrics)")
        for loss in metrics["WeightedQuantileLosses"]?.arrayValue ?? [] {
            show("wQL[\(loss["Quantile"]?.doubleValue ?? 0)]", Self.decimals(loss["LossValue"]?.doubleValue ?? .nan, 4))
        }
        show("average wQL", Self.decimals(metrics["AverageWeightedQuantileLoss"]?.doubleValue ?? .nan, 4))
        if let errors = metrics["ErrorMetrics"]?.arrayValue?.first {
            for name in ["WAPE", "RMSE", "MAPE", "MASE"] {
                show(name, errors[name]?.doubleValue.map { Self.decimals($0, 4) } ?? "not defined")
            }
        }
    }

    private func plot(_ forecast: String, _ series: DemoSeries, _ client: DemoClient, to file: String) async throws {
        var plots: [ForecastPlot] = []
        for name in series.plotted {
            let answer = try await client.call(
                .forecastquery, "QueryForecast", ["ForecastArn": .string(forecast), "Filters": ["item_id": .string(name)]])
            plots.append(try DemoPlot.plot(try series.item(name), answer["Forecast"]?["Predictions"]?.objectValue ?? [:]))
        }
        try Data(ForecastPlot.page(plots).utf8).write(to: URL(fileURLWithPath: file))
        title("Plot")
        print("  history with p10, p50 and p90: \(file)")
    }

    private func reportTrail(_ name: String, _ access: DemoCustomer.Access, _ client: DemoClient) async throws {
        title("The \(name) and its role in the audit trail (LookupEvents)")
        var table = DemoTable(["time", "event", "times", "by", "grant"])
        for line in try await DemoTrail(client: client).lines(of: access) {
            table.add([line.time, line.event, line.count == 1 ? "" : "× \(line.count)", line.who, line.grant])
        }
        table.show()
        let grants = try await client.call(.kms, "ListGrants", ["KeyId": .string(access.key)])
        let left = (grants["Grants"]?.arrayValue ?? []).filter { $0["Name"]?.stringValue?.hasPrefix("job/") == true }
        guard left.isEmpty else {
            throw DemoClient.Failure(description: "\(left.count) grants of jobs are left on \(access.key)")
        }
        print("  ListGrants: no grant of a job is left on this key.")
    }

    private func next() {
        title("Next")
        print(
            """
              deploy/up --detach                         a cluster to play with (this one is stopped now)
              source \(DataFolder("/var/tmp/forecastle-\(getuid())/up").environment)
              aws forecast list-datasets
              aws kms list-grants --key-id …             watch a job's grants come and go
              aws kms disable-key --key-id …             in the middle of a job: it stops and says why
              docs/first-job.md                          all of it by hand, an artifact opened with the AWS Encryption SDK
            """)
    }

    // MARK: Printing

    private func say(_ text: String) { print("\n\u{1B}[1m==>\u{1B}[0m \(text)") }
    private func title(_ text: String) { print("\n\(text)") }
    private func show(_ name: String, _ value: String) {
        print("    \(name.padding(toLength: 12, withPad: " ", startingAt: 0)) \(value)")
    }

    private static func seconds(_ duration: Duration) -> String {
        decimals(Double(duration.components.seconds) + Double(duration.components.attoseconds) / 1e18, 1) + " s"
    }

    static func decimals(_ value: Double, _ places: Int) -> String { String(format: "%.\(places)f", value) }
}
