/// An error as AWS's services put it on the wire: a code that clients switch on and a message that is safe to show.
///
/// Codes are those of the JSON services; `AWSError+Query` has their other names in the Query protocol.
package struct AWSError: Error, Sendable, CustomStringConvertible {
    package var code: String
    /// Safe to show to the caller: never a value of the request that could be secret, SQL or a path of the host.
    package var message: String
    /// HTTP status.
    package var status: Int
    /// For logs only.
    package var cause: (any Error)?

    package init(code: String, message: String, status: Int = 400, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.status = status
        self.cause = cause
    }

    package var description: String { "\(code): \(message)" }

    private static let throttlingCodes: Set<String> = [
        "Throttling", "ThrottlingException", "ThrottledException", "RequestThrottled", "RequestThrottledException",
        "RequestLimitExceeded", "TooManyRequestsException", "ProvisionedThroughputExceededException", "SlowDown",
    ]

    package var isThrottling: Bool { Self.throttlingCodes.contains(code) || status == 429 || status == 509 }

    /// What S3 answers with a status of the caller's faults although nobody is at fault.
    private static let passingCodes: Set<String> = ["ConditionalRequestConflict", "OperationAborted", "RequestTimeout"]

    /// Whether the same call may succeed later without any change.
    package var isRetriable: Bool {
        isThrottling || [500, 502, 503, 504].contains(status) || Self.passingCodes.contains(code)
    }
}

extension AWSError {
    package static func accessDenied(_ message: String) -> AWSError {
        AWSError(code: "AccessDeniedException", message: message)
    }

    /// The text that AWS's services give for a member that breaks a rule of the model, with the name in camel case:
    /// `1 validation error detected: Value at 'keyId' failed to satisfy constraint: Member must not be null`.
    package static func validation(field: String, rule: String) -> AWSError {
        validation("1 validation error detected: Value at '\(field.camelCased)' failed to satisfy constraint: \(rule)")
    }

    package static func validation(_ message: String) -> AWSError {
        AWSError(code: "ValidationException", message: message)
    }

    /// The body is not what the protocol says: not JSON, or a member of the wrong kind.
    package static func serialization(_ message: String, cause: (any Error)? = nil) -> AWSError {
        AWSError(code: "SerializationException", message: message, cause: cause)
    }

    package static func unknownOperation(_ message: String = "The operation is not known.") -> AWSError {
        AWSError(code: "UnknownOperationException", message: message)
    }

    package static func notFound(_ message: String) -> AWSError {
        AWSError(code: "NotFoundException", message: message)
    }

    package static func throttling(_ message: String = "Rate exceeded") -> AWSError {
        AWSError(code: "ThrottlingException", message: message)
    }

    /// The answer to every fault of our own: says nothing about it.
    package static func internalFailure(cause: (any Error)? = nil) -> AWSError {
        AWSError(
            code: "InternalFailure", message: "The request could not be processed because of an internal error.",
            status: 500, cause: cause)
    }

    /// A server that this one rests on does not answer; the call may be repeated.
    package static func serviceUnavailable(
        _ message: String = "The service is temporarily unavailable.", cause: (any Error)? = nil
    ) -> AWSError {
        AWSError(code: "ServiceUnavailable", message: message, status: 503, cause: cause)
    }

    package static func requestTooLarge(maximumBytes: Int) -> AWSError {
        AWSError(
            code: "RequestEntityTooLarge", message: "The request is longer than \(maximumBytes) bytes.", status: 413)
    }
}

extension AWSError {
    package static var missingAuthenticationToken: AWSError {
        AWSError(code: "MissingAuthenticationTokenException", message: "Missing Authentication Token", status: 403)
    }

    package static func incompleteSignature(_ message: String) -> AWSError {
        AWSError(code: "IncompleteSignatureException", message: message)
    }

    /// An access key or session token that is unknown, foreign, inactive or removed: one answer for all.
    package static var unrecognizedClient: AWSError {
        AWSError(
            code: "UnrecognizedClientException", message: "The security token included in the request is invalid.")
    }

    package static func invalidSignature(_ message: String) -> AWSError {
        AWSError(code: "InvalidSignatureException", message: message)
    }

    package static var signatureDoesNotMatch: AWSError {
        .invalidSignature(
            "The request signature we calculated does not match the signature you provided. Check your AWS Secret "
                + "Access Key and signing method. Consult the service documentation for details.")
    }

    package static var expiredToken: AWSError {
        AWSError(
            code: "ExpiredTokenException", message: "The security token included in the request is expired")
    }
}

extension AWSError {
    /// The body of the JSON services. Forecast's clients read `Message`, KMS's and CloudTrail's `message`;
    /// botocore reads both.
    package func jsonBody(messageMember: String = "message") -> [UInt8] {
        var body: JSONObject = ["__type": .string(code)]
        if !message.isEmpty { body[messageMember] = .string(message) }
        return body.serialized()
    }
}

extension String {
    /// `KeyId` as messages of validation spell it: `keyId`.
    package var camelCased: String { prefix(1).lowercased() + dropFirst() }
}
