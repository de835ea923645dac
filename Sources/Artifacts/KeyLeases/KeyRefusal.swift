package import AWSProtocol

/// KMS's or STS's no to a key or role, told from a call that came to nothing for reasons of our own.
package struct KeyRefusal: Sendable {
    /// Refusals of our own signature or session, and answers that are none of KMS's: the question about the key was not
    /// answered, and may be put again. In the names of the JSON services and of the Query services.
    private static let saysNothing: Set<String> = [
        "UnrecognizedClientException", "InvalidClientTokenId", "ExpiredTokenException", "ExpiredToken", "RequestExpired",
        "InvalidSignatureException", "SignatureDoesNotMatch", "IncompleteSignatureException", "IncompleteSignature",
        "MissingAuthenticationTokenException", "MissingAuthenticationToken", "RequestCancelled", "MalformedAnswer",
        "UnknownError",
    ]

    private static let denials: Set<String> = ["AccessDeniedException", "AccessDenied"]

    private let error: AWSError

    /// Nil where the error says nothing about the key: throttling, a server that fails, credentials of ours that expired.
    package init?(_ error: AWSError) {
        guard !error.isRetriable, !Self.saysNothing.contains(error.code) else { return nil }
        self.error = error
    }

    /// For people who use data keys under a grant. KMS answers a revoked grant with a sentence on identities and regions that
    /// says nothing of grants; for all else its own words are the best.
    package var text: String {
        if Self.denials.contains(error.code) {
            return "\(error.code): the grant was revoked or retired, or a policy denies it. Once the key's policies allow it"
                + " again, create the resource anew."
        }
        return error.message.isEmpty ? "\(error.code)." : "\(error.code): \(error.message)"
    }
}
