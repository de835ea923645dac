import AWSProtocol
import ArgumentParser
import Foundation
import Jobs

/// `forecastle demo`: the main job as a customer sees it, told step by step. deploy/demo starts the cluster for it.
struct Demo: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run import, training, forecast and backtest export on real series and show what happened.",
        discussion:
            "Needs a running cluster (forecastle up) with its env file sourced. Exits with 1 when a job fails or a grant is left."
    )

    @Option(help: "Folder of the cluster.")
    var data: String

    @Option(help: "Folder with the shipped series.")
    var series: String

    @Option(
        help: ArgumentHelp("Generate this many daily series of this many days instead.", valueName: "items,days"),
        transform: { text in
            guard let series = SyntheticSeries(text) else {
                let (items, days) = (SyntheticSeries.itemsRange, SyntheticSeries.daysRange)
                throw ValidationError(
                    "takes ITEMS,DAYS: \(items.lowerBound) to \(items.upperBound) items of \(days.lowerBound) to \(days.upperBound) days"
                )
            }
            return series
        })
    var generate: SyntheticSeries?

    @Flag(help: "Write what came of it as JSON to standard output; the story goes to standard error.")
    var json = false

    func run() async throws {
        let folder = DataFolder(data)
        let story = DemoStory(json: json)
        let client = try EnvironmentClient()
        let series = try prepareSeries(folder, story)
        // Where the stores are may be said beside the file, as `up` takes it.
        let values = try ConfigurationValues(
            file: folder.configuration, environment: ProcessInfo.processInfo.environment, flags: Forecastle.flags.values)
        let result = try await JobsDatabase.with(values) { queries in
            try await DemoRun(
                client: client, queries: queries, folder: folder,
                bucket: DemoBucket(client: client, stores: StoreSettings(values)), series: series, story: story,
                tag: String(UUID().uuidString.lowercased().prefix(6))
            ).run()
        }
        if json { print(result.serializedString) }
    }

    private func prepareSeries(_ folder: DataFolder, _ story: DemoStory) throws -> DemoSeries {
        guard let generate else { return .shipped(in: series) }
        let file = folder.path + "/generated.csv"
        story.say("Generate \(generate.items) series of \(generate.days) days.")
        try generate.write(to: file)
        return .generated(generate, in: file)
    }
}
