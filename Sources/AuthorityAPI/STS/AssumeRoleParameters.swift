import AWSProtocol
import Accounts

/// The parameters of AssumeRole and the signed headers of the service, checked for form.
struct AssumeRoleParameters: Sendable {
    static let defaultSeconds = 3600
    static let minimumSeconds = 900
    static let maximumSeconds = 43_200
    /// For a caller who is a session itself (role chaining).
    static let maximumChainedSeconds = 3600

    let roleARN: ARN
    let sessionName: String
    /// Nil where the caller left it out.
    let seconds: Int?
    let externalID: String?
    let policy: String?
    let sourceIdentity: String?

    init(_ parameters: QueryParameters) throws(AWSError) {
        for name in parameters.names where !Self.known.contains(name) {
            throw .validation("The parameter \(String(name.prefix(64))) is not supported.")
        }
        let arn = try parameters.required("RoleArn", StringRule(length: 20...2048))
        guard let roleARN = ARN(arn) else { throw .validation("\(String(arn.prefix(128))) is invalid") }
        self.roleARN = roleARN
        sessionName = try parameters.required("RoleSessionName", Self.name)
        seconds = try parameters.optionalInt("DurationSeconds", range: Self.minimumSeconds...Self.maximumSeconds)
        externalID = try parameters.optional("ExternalId", Self.external)
        policy = try parameters.optional("Policy", StringRule(length: 1...2048))
        sourceIdentity = try parameters.optional("SourceIdentity", Self.name)
        if let sourceIdentity, sourceIdentity.asciiLowercased.hasPrefix("aws:") {
            throw .validation("SourceIdentity must not begin with aws:")
        }
    }

    private static let known: Set<String> = [
        "Action", "Version", "RoleArn", "RoleSessionName", "DurationSeconds", "ExternalId", "Policy", "SourceIdentity",
    ]

    private static let name = StringRule(length: 2...64, pattern: #"[\w+=,.@-]*"#) { $0.utf8.allSatisfy(isNameByte) }

    private static let external = StringRule(length: 2...1224, pattern: #"[\w+=,.@:\/-]*"#) {
        $0.utf8.allSatisfy { isNameByte($0) || $0 == UInt8(ascii: ":") || $0 == UInt8(ascii: "/") }
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: "_+=,.@-".utf8.contains(byte)
        }
    }

    /// As the trail shows the request.
    var trail: JSONObject {
        var object: JSONObject = ["roleArn": .string(roleARN.description), "roleSessionName": .string(sessionName)]
        object.append("externalId", ifPresent: externalID.map { .string($0) })
        object.append("durationSeconds", ifPresent: seconds.map { .int(Int64($0)) })
        object.append("policy", ifPresent: policy.map { .string($0) })
        object.append("sourceIdentity", ifPresent: sourceIdentity.map { .string($0) })
        return object
    }
}
