import ArgumentParser

/// The command line of Forecastle: roles of the cluster and tools for the people who run it.
@main
struct Forecastle: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "forecastle",
        abstract: "Forecast jobs whose every byte stays under the customer's own key.",
        version: "0.1.0",
        subcommands: []
    )
}
