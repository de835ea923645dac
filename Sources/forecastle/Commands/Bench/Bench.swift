import ArgumentParser

/// `forecastle bench`: what this machine does, beside the tools that people know.
struct Bench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Measure, with peers alternating in the same run.",
        discussion: """
            Machines are shared and busy, so figures are CPU time per unit of work and ratios against a peer, each the \
            median over repetitions with its spread.
            """,
        subcommands: [
            BenchSeal.self, BenchAuthority.self, BenchRevocation.self, BenchJobs.self, BenchJobsWorker.self, BenchImport.self,
            BenchTrain.self, BenchAPI.self, BenchWholeCluster.self, BenchCapacity.self,
        ])
}
