import ArgumentParser
import Foundation
import Secrets

/// The command line of Forecastle: roles of the cluster and tools for the people who run it.
@main
struct Forecastle: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "forecastle",
        abstract: "Forecast jobs whose every byte stays under the customer's own key.",
        discussion: "Every key of config/forecastle.yaml is also a flag (worker.slots: --worker-slots 4) and a variable "
            + "(FORECASTLE_WORKER_SLOTS).",
        version: "0.1.0",
        subcommands: [
            Up.self, Authority.self, API.self, WorkerRole.self, Demo.self, Job.self, Migrate.self, Doctor.self, Health.self,
            Admin.self,
            Audit.self, Seal.self, Open.self, Inspect.self, Bench.self, Verify.self, Chaos.self, Simulate.self,
        ]
    )

    /// Flags that are settings; read once, before the commands parse what remains.
    static let flags: ConfigurationFlags = {
        do {
            return try ConfigurationFlags(arguments: Array(CommandLine.arguments.dropFirst()))
        } catch {
            FileHandle.standardError.write(Data("Error: \(error)\n".utf8))
            Foundation.exit(ExitCode.validationFailure.rawValue)
        }
    }()

    static func main() async {
        // Before anything is read: every command may come to hold a key, a password or somebody's credentials.
        do {
            try ProcessHardening.apply()
        } catch {
            FileHandle.standardError.write(Data("Error: \(error)\n".utf8))
            Foundation.exit(ExitCode.failure.rawValue)
        }
        await main(flags.remaining)
    }
}
