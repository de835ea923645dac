import AWSProtocol
import Envelope

/// What the failures of several data keys come to: the first refusal is told, since people can do something about it; a
/// mere mismatch is the one authentication error.
struct KMSRefusal {
    private var refusal: AWSError?

    /// Notes a failure after which the next data key may be tried; throws all others (no answer came, KMS is too busy, the
    /// call was cancelled), which the next call would meet as well.
    mutating func note(_ error: any Error) throws {
        if error as? EnvelopeError == .authentication { return }
        guard let error = error as? AWSError else { throw error }
        if Self.meansForgery.contains(error.code) { return }
        guard Self.meansRefusal.contains(error.code) else { throw error }
        refusal = refusal ?? error
    }

    var outcome: any Error { refusal ?? EnvelopeError.authentication }

    /// KMS's words for a ciphertext or context that is not what was encrypted.
    private static let meansForgery: Set<String> = ["InvalidCiphertextException", "IncorrectKeyException"]

    /// KMS's words for this key, whatever the ciphertext.
    private static let meansRefusal: Set<String> = [
        "AccessDeniedException", "DisabledException", "InvalidGrantTokenException", "InvalidKeyUsageException",
        "KMSInvalidStateException", "KeyUnavailableException", "NotFoundException",
    ]
}
