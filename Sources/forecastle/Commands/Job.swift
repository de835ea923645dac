import ArgumentParser

/// `forecastle job list|show|watch|stop`
struct Job: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "What jobs do: list them, look into one, watch it, stop it.",
        discussion:
            "list, show and watch read the jobs database; stop calls the Forecast API with the environment's credentials. "
            + JobExit.discussion,
        subcommands: [JobList.self, JobShow.self, JobWatch.self, JobStop.self])
}
