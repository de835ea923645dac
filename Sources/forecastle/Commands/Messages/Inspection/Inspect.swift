import AWSProtocol
import ArgumentParser
import Envelope
import Foundation

/// `forecastle inspect`: what a message says of itself, without any key.
struct Inspect: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show the header, keys and frames of an AWS Encryption SDK message.",
        discussion: "No key is used, so nothing that is shown is authenticated. \(MessageExit.discussion)")

    @Flag(help: "Print JSON.")
    var json = false

    @Flag(help: "Show every frame, not only the first and the last few.")
    var frames = false

    @Argument(
        help: "File with the message, or - for standard input (of which only the header is read).", completion: .file())
    var input: String

    func run() async throws {
        try await CommandFailure.reporting {
            let source = try MessageInput(input)
            // Where frames lie follows from the layout; what deviates from it is among the problems.
            let inspection = try await MessageInspection.inspect(source.channel, listing: 0)
            let view = InspectionView(inspection, isWhole: frames)
            // One write for many lines: a table of frames may be long.
            var text = ""
            let write = { (piece: String) in
                text += piece
                if text.utf8.count > Self.writeBytes {
                    FileHandle.standardOutput.write(Data(text.utf8))
                    text = ""
                }
            }
            json ? view.writeJSON(write) : view.writeText(write)
            FileHandle.standardOutput.write(Data(text.utf8))
            if !inspection.problems.isEmpty { throw MessageExit.message }
        }
    }

    private static let writeBytes = 64 << 10
}
