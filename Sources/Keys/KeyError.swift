package import AWSProtocol

/// What KMS answers instead of a result.
///
/// `code` is one of KMS's own (`AuthorityAPI` has the table that names and statuses are taken from), `message` is safe
/// to show to the caller, `cause` is for logs only.
package struct KeyError: Error, Sendable, CustomStringConvertible {
    package struct Code: Sendable, Hashable, CustomStringConvertible, CaseIterable {
        private enum Base: String, CaseIterable {
            case accessDenied, alreadyExists, disabled, dryRun, incorrectKey, `internal`, invalidAliasName, invalidArn
            case invalidCiphertext, invalidGrantID, invalidGrantToken, invalidKeyUsage, invalidMarker, invalidState
            case limitExceeded, malformedPolicy, notFound, tag, unsupported, validation
        }
        private let base: Base
        private init(_ base: Base) { self.base = base }

        package static let accessDenied = Code(.accessDenied)
        package static let alreadyExists = Code(.alreadyExists)
        package static let disabled = Code(.disabled)
        /// The call would have succeeded: DryRun's only good answer.
        package static let dryRun = Code(.dryRun)
        package static let incorrectKey = Code(.incorrectKey)
        package static let `internal` = Code(.internal)
        package static let invalidAliasName = Code(.invalidAliasName)
        package static let invalidArn = Code(.invalidArn)
        package static let invalidCiphertext = Code(.invalidCiphertext)
        package static let invalidGrantID = Code(.invalidGrantID)
        package static let invalidGrantToken = Code(.invalidGrantToken)
        package static let invalidKeyUsage = Code(.invalidKeyUsage)
        package static let invalidMarker = Code(.invalidMarker)
        package static let invalidState = Code(.invalidState)
        package static let limitExceeded = Code(.limitExceeded)
        package static let malformedPolicy = Code(.malformedPolicy)
        package static let notFound = Code(.notFound)
        package static let tag = Code(.tag)
        package static let unsupported = Code(.unsupported)
        package static let validation = Code(.validation)

        package static var allCases: [Code] { Base.allCases.map(Code.init) }
        package var description: String { base.rawValue }
    }

    package let code: Code
    package let message: String
    package let cause: (any Error)?
    package var isRetriable: Bool { code == .internal }
    package var description: String { "\(code): \(message)" }

    package init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }
}

extension KeyError {
    /// AWS sends no text with this one: the caller learns nothing about what did not fit.
    package static let invalidCiphertext = KeyError(.invalidCiphertext, "")

    package static let dryRun = KeyError(.dryRun, "The request would have succeeded, but the DryRun option is set.")

    /// The one answer for a key inside a ciphertext that is absent, foreign or denied.
    package static let unknownKeyOfCiphertext = KeyError(
        .accessDenied,
        "The ciphertext refers to a customer master key that does not exist, does not exist in this region, "
            + "or you are not allowed to access.")

    package static let invalidGrantToken = KeyError(.invalidGrantToken, "The grant token is not valid.")

    package static let invalidMarker = KeyError(
        .invalidMarker, "The marker is malformed or belongs to other parameters.")

    package static let incorrectKey = KeyError(
        .incorrectKey, "The key ID in the request does not identify a CMK that can perform this operation.")

    package static func keyNotFound(_ arn: ARN) -> KeyError {
        KeyError(.notFound, "Key '\(arn)' does not exist")
    }

    package static func aliasNotFound(_ arn: ARN) -> KeyError {
        KeyError(.notFound, "Alias \(arn) is not found.")
    }

    package static func grantNotFound(_ grantID: String) -> KeyError {
        KeyError(.notFound, "Grant ID \(grantID) not found")
    }

    package static func invalidKeyID(_ text: String) -> KeyError {
        KeyError(.notFound, "Invalid keyId '\(text.prefix(256))'")
    }

    static func `internal`(_ message: String, cause: (any Error)? = nil) -> KeyError {
        KeyError(.internal, message, cause: cause)
    }
}
