import ArgumentParser
import Envelope

/// How `seal` and `open` work between their files.
struct MessageFileOptions: ParsableArguments {
    @Option(help: "Threads to work with; all processors where not given.")
    var threads: Int?

    @Flag(name: .customLong("force"), help: "Replace an output file that is there already.")
    var force = false

    @Flag(help: "Say what was done as JSON: on standard output, or on standard error where that is the output.")
    var json = false

    @Flag(name: .customLong("no-progress"), help: "Draw no progress bar on the terminal.")
    var noProgress = false

    static let maximumThreads = 256

    func validate() throws {
        if let threads, !(1...Self.maximumThreads).contains(threads) {
            throw ValidationError("--threads takes 1 to \(Self.maximumThreads), not \(threads).")
        }
    }
}
