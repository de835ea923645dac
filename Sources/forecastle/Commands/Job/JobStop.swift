import AWSProtocol
import ArgumentParser
import Jobs

/// `forecastle job stop JOB`
struct JobStop: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stop", abstract: "Ask a job to stop, as its owner.",
        discussion:
            "Calls StopResource with the credentials of the environment (source the cluster's env file). The job ends once "
            + "its grants are retired; job watch shows it. " + JobExit.discussion)

    @OptionGroup var options: JobOptions
    @OptionGroup var argument: JobArgument

    func run() async throws {
        // Whoever knows the ARN needs no access to the database.
        if argument.job.hasPrefix("arn:") {
            try await CommandFailure.reporting { try await stop(argument.job) }
        } else {
            try await options.run { queries in try await stop(try await argument.find(queries).job.resourceARN) }
        }
    }

    private func stop(_ arn: String) async throws {
        do {
            _ = try await EnvironmentClient().call(.forecast, "StopResource", ["ResourceArn": .string(arn)])
        } catch let failure as EnvironmentClient.Failure {
            let code: ExitCode =
                failure.error.code == "ResourceNotFoundException"
                ? JobExit.unknownJob : failure.error.status >= 500 ? JobExit.unavailable : JobExit.refused
            throw CommandFailure(failure.description, code)
        }
        print(options.json ? JSONObject([("stopping", .string(arn))]).serializedString : "stopping \(arn)")
    }
}
