package import AWSProtocol
package import Secrets

/// One service of the authority (KMS, STS, CloudTrail…): which calls are its own and what it answers.
///
/// `AuthorityHandler` has verified who calls before a service sees the request. The service decides, records the call in the trail and only
/// then answers.
package protocol AuthorityService: Sendable {
    var route: AuthorityRoute { get }
    /// The service of the credential scope that requests must be signed for, such as `kms`.
    var signingName: String { get }
    /// For each operation whose request brings a secret, the member that holds it, in base64. It is taken out of the bytes
    /// that were received before the rest is parsed.
    var secretMembers: [String: String] { get }
    /// Bounds of a JSON body.
    var bodyLimits: JSONLimits { get }
    /// Whether this is the name of an operation, and not something that a client made up.
    func knows(operation: String) -> Bool
    /// Throws what the caller is told; whatever must not be told goes into the error's `cause`.
    func handle(operation: String, request: AuthenticatedRequest) async throws(AWSError) -> AWSReply
}

extension AuthorityService {
    package var secretMembers: [String: String] { [:] }
    package var bodyLimits: JSONLimits { .default }
}

/// How requests are recognised as a service's.
package enum AuthorityRoute: Sendable, Hashable {
    /// JSON 1.1: by what stands before the last dot of `X-Amz-Target`.
    case json(targetPrefix: String)
    /// Query and XML: by the signing name; `Version` must be the one given.
    case query(version: String, namespace: String)
}

/// What a service answers.
package enum AWSReply: Sendable {
    case json(JSONObject)
    /// A JSON body that holds a data key.
    case secretJSON(SharedSecret)
    /// The answer of an operation without output.
    case empty
    /// What stands inside `<OperationResult>`; the rest of the XML is the handler's.
    case xml(@Sendable (inout XMLWriter) -> Void)
}
