import AWSProtocol
import ArgumentParser
import Envelope

/// Exit codes of `seal`, `open` and `inspect`, as sysexits.h has them: a script can tell a bad message from a full disk, and
/// a key that KMS refused from a KMS that did not answer.
enum MessageExit {
    /// The message could not be authenticated, is of a refused kind, or (inspect) something is wrong with it.
    static let message = ExitCode(65)
    /// An input or key file cannot be read.
    static let noInput = ExitCode(66)
    /// KMS did not answer, or the cipher library that was asked for is not there.
    static let unavailable = ExitCode(69)
    /// The output cannot be made: it exists already, or its folder does not let it.
    static let cannotCreate = ExitCode(73)
    /// Reading or writing failed on the way.
    static let inputOutput = ExitCode(74)
    /// KMS refused.
    static let refused = ExitCode(77)

    /// 130 for the interrupt key, 143 for SIGTERM: what a shell says of a process that a signal ended.
    static func interrupted(by signal: Int32) -> ExitCode { ExitCode(128 + signal) }

    static let discussion = """
        Exit codes: 0 done; 64 wrong use; 65 the message is refused; 66 the input or a key file cannot be read; \
        69 KMS does not answer, or the cipher library is not there; 73 the output cannot be made; \
        74 reading or writing failed; 77 KMS refused; 130 interrupted.
        """

    static func code(of error: EnvelopeError) -> ExitCode {
        switch error.code {
        case .authentication, .suiteRefused, .tooLarge: message
        case .providerUnavailable: unavailable
        case .inputOutput: inputOutput
        default: .validationFailure
        }
    }

    static func code(of error: AWSError) -> ExitCode {
        error.isRetriable || error.status > 499 ? unavailable : refused
    }
}
