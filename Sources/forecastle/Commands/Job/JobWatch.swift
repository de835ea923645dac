import AWSProtocol
import ArgumentParser
import Foundation
import Jobs

/// `forecastle job watch JOB`
struct JobWatch: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "watch", abstract: "Follow a job until it has ended.",
        discussion: "A line that lives on a terminal; elsewhere a line for each change; with --json an object a line. "
            + JobExit.discussion)

    @OptionGroup var options: JobOptions
    @OptionGroup var argument: JobArgument

    func run() async throws {
        try await options.run { queries in
            let id = try await argument.find(queries).job.id
            var line = ProgressLine(.standardOutput)
            var progress = JobProgress()
            var printed: JSONObject?
            var last: JobQueries.Summary?
            for try await summary in queries.watch(id) {
                last = summary
                guard options.json else {
                    line.update(progress.line(summary, columns: ProgressDisplay.columns), key: summary.job.state.rawValue)
                    continue
                }
                var object = summary.json
                object["seconds"] = nil
                if object != printed { print(summary.json.serializedString) }
                fflush(nil)
                printed = object
            }
            if !options.json { line.finish() }
            guard let last else { throw CommandFailure("The job \(id) is gone.", JobExit.unknownJob) }
            if !options.json, let message = last.job.message { print(message) }
            switch last.job.state {
            case .failed: throw JobExit.failed
            case .stopped: throw JobExit.stopped
            default: return
            }
        }
    }
}
