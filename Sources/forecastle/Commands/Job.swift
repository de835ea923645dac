import ArgumentParser

/// `forecastle job list|show|watch|stop|retry|dead|redrive|priority`
struct Job: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "What jobs do: list them, look into one, watch it, stop it, have it run again.",
        discussion:
            "All but stop work on the jobs database; stop calls the Forecast API with the environment's credentials. "
            + JobExit.discussion,
        subcommands: [
            JobList.self, JobShow.self, JobWatch.self, JobStop.self, JobRetry.self, JobDead.self, JobRedrive.self,
            JobPriority.self,
        ])
}
