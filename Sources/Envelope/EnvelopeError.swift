/// What can go wrong with sealing and opening. `message` names no key, content or position and may be shown to anyone.
///
/// Opening has one authentication error: whatever was altered, cut, swapped or meant for another key, nobody learns which.
package struct EnvelopeError: Error, Sendable, Equatable, CustomStringConvertible {
    package struct Code: Sendable, Hashable {
        fileprivate enum Base {
            case authentication, suiteRefused, tooLarge, invalidInput, inputOutput, providerUnavailable, cipherFailed
        }
        fileprivate let base: Base

        /// The message is not what the key says it should be.
        package static let authentication = Code(base: .authentication)
        /// The message says itself that it is of a kind that is not opened here. No key was used.
        package static let suiteRefused = Code(base: .suiteRefused)
        /// An unframed message holds more than may be held in memory. Nothing was opened.
        package static let tooLarge = Code(base: .tooLarge)
        /// The caller's arguments cannot be sealed (context too long, reserved keys, bounds).
        package static let invalidInput = Code(base: .invalidInput)
        /// Reading or writing failed.
        package static let inputOutput = Code(base: .inputOutput)
        /// The cryptographic module that was asked for is not there: nothing is done with another one instead.
        package static let providerUnavailable = Code(base: .providerUnavailable)
        /// The cryptographic library refused what it should do (no memory, a module in its error state).
        package static let cipherFailed = Code(base: .cipherFailed)
    }

    package let code: Code
    package let message: String

    package var description: String { message }

    /// Only faults of the medium may pass by themselves.
    package var isRetriable: Bool { code == .inputOutput }

    package static let authentication = EnvelopeError(
        code: .authentication,
        message: "The message could not be authenticated: it was altered or cut short, or is not meant for this key and context.")

    package static func suiteRefused(_ message: String) -> EnvelopeError {
        EnvelopeError(code: .suiteRefused, message: message)
    }

    package static func tooLarge(_ message: String) -> EnvelopeError {
        EnvelopeError(code: .tooLarge, message: message)
    }

    package static func invalidInput(_ message: String) -> EnvelopeError {
        EnvelopeError(code: .invalidInput, message: message)
    }

    package static func inputOutput(_ message: String) -> EnvelopeError {
        EnvelopeError(code: .inputOutput, message: message)
    }

    package static func providerUnavailable(_ message: String) -> EnvelopeError {
        EnvelopeError(code: .providerUnavailable, message: message)
    }

    package static func cipherFailed(_ message: String) -> EnvelopeError {
        EnvelopeError(code: .cipherFailed, message: message)
    }
}
