import AWSProtocol
import ArgumentParser
import Envelope
import Foundation

/// An error with the exit code that goes with it. Prints its message to standard error and nothing else.
struct CommandFailure: Error {
    let message: String
    let exitCode: ExitCode

    init(_ message: String, _ exitCode: ExitCode) {
        self.message = message
        self.exitCode = exitCode
    }

    static func warn(_ message: String) {
        FileHandle.standardError.write(Data("Warning: \(message)\n".utf8))
    }

    /// Runs a command's body; what it throws becomes a line on standard error and an exit code.
    static func reporting(_ body: () async throws -> Void) async throws {
        do {
            try await body()
        } catch let failure as CommandFailure {
            throw failure.exit
        } catch let error as EnvelopeError {
            throw CommandFailure(error.message, MessageExit.code(of: error)).exit
        } catch let error as AWSError {
            throw CommandFailure(TerminalText.printable("KMS: \(error)"), MessageExit.code(of: error)).exit
        }
    }

    private var exit: ExitCode {
        FileHandle.standardError.write(Data("Error: \(message)\n".utf8))
        return exitCode
    }
}
