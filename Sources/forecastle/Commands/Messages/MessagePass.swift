import AWSProtocol
import ArgumentParser
import CoreFoundation
import Envelope
import Foundation
import Glibc

/// One pass from an input to an output: opens both, draws progress, heeds signals, publishes, and says what was done.
struct MessagePass: Sendable {
    /// For the progress bar: `sealing`, `opening`.
    let verb: String
    let input: String
    /// Nil: nothing is written.
    let output: String?
    /// Permission bits of a new output, narrowed by the umask.
    let mode: mode_t
    private let force: Bool
    private let threads: Int?
    private let json: Bool
    private let isProgressWanted: Bool

    init(verb: String, input: String, output: String?, mode: mode_t, options: MessageFileOptions) {
        self.verb = verb
        self.input = input
        self.output = output
        self.mode = mode
        (force, threads, json) = (options.force, options.threads, options.json)
        // A line that is redrawn must not get between lines of plaintext.
        isProgressWanted = !options.noProgress && !(output == "-" && isatty(STDOUT_FILENO) == 1)
    }

    /// What the body of a pass works with.
    struct Ends: Sendable {
        let input: ByteChannel
        /// Nil where nothing is written.
        let output: ByteChannel?
        let options: PassOptions
        let meter: ProgressMeter
        let start = ContinuousClock.now

        var seconds: Double { (ContinuousClock.now - start) / .seconds(1) }
    }

    typealias Body = @Sendable (Ends) async throws -> MessageReport

    /// Runs `body` between input and output and publishes an output file when it returns; then says what it came to.
    func run(_ body: @escaping Body) async throws {
        // A reader that went away is an error with its exit code, not a silent end.
        signal(SIGPIPE, SIG_IGN)
        PassOptions.tuneAllocator()
        let meter = ProgressMeter()
        let report = try await Interruption.heeding {
            try await ProgressDisplay(verb: verb, meter: meter, isWanted: isProgressWanted).during {
                try await pass(meter, body)
            }
        }
        if json { say(report) }
    }

    private func pass(_ meter: ProgressMeter, _ body: @escaping Body) async throws -> MessageReport {
        var options = PassOptions()
        if let threads { options.threads = threads }
        options.progress = { meter.add($0) }
        let source = try MessageInput(input)
        func ends(_ output: ByteChannel?) -> Ends {
            Ends(input: source.channel, output: output, options: options, meter: meter)
        }
        switch output {
        case nil: return try await body(ends(nil))
        case "-": return try await body(ends(ByteChannel(descriptor: STDOUT_FILENO, access: .sequential)))
        case let path?:
            let file = try open(path)
            let report = try await body(ends(file.channel))
            // Whoever interrupts while the last byte is written wants no file.
            try Task.checkCancellation()
            do {
                try file.publish()
            } catch {
                throw CommandFailure(
                    "\(path): \(error.message)",
                    error.code == .inputOutput ? MessageExit.inputOutput : MessageExit.cannotCreate)
            }
            return report
        }
    }

    private func open(_ path: String) throws -> OutputFile {
        do {
            return try OutputFile(path: path, mode: mode, replacing: force)
        } catch {
            var status = stat()
            let exists = stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG && !force
            throw CommandFailure(
                "\(path): \(error.message)\(exists ? " --force replaces it." : "")", MessageExit.cannotCreate)
        }
    }

    private func say(_ report: MessageReport) {
        let handle = output == "-" ? FileHandle.standardError : FileHandle.standardOutput
        handle.write(Data((report.json.serializedString + "\n").utf8))
    }
}
