import AWSProtocol
import Accounts

/// The parameters of AssumeRole, checked for form.
struct AssumeRoleParameters: Sendable {
    static let defaultSeconds = 3600
    static let minimumSeconds = 900
    static let maximumSeconds = 43_200
    /// For a caller who is a session itself (role chaining).
    static let maximumChainedSeconds = 3600
    static let maximumPolicyARNs = 10
    /// Bytes of session policy, policy ARNs and tags together: the whole of what `PackedPolicySize` is a percentage of.
    static let maximumPackedBytes = 4096

    let roleARN: ARN
    let sessionName: String
    /// Nil where the caller left it out.
    let seconds: Int?
    let externalID: String?
    let policy: String?
    let policyARNs: [ARN]
    let sourceIdentity: String?
    let tags: IdentityTags
    let transitiveTagKeys: [String]
    let secondFactor: SecondFactor?

    init(_ parameters: QueryParameters) throws(AWSError) {
        try parameters.refuseAllBut(Self.known)
        let arn = try parameters.required("RoleArn", StringRule(length: 20...2048))
        guard let roleARN = ARN(arn) else { throw .validation("\(String(arn.prefix(128))) is invalid") }
        self.roleARN = roleARN
        sessionName = try parameters.required("RoleSessionName", Self.name)
        seconds = try parameters.optionalInt("DurationSeconds", range: Self.minimumSeconds...Self.maximumSeconds)
        externalID = try parameters.optional("ExternalId", Self.external)
        policy = try parameters.optional("Policy", StringRule(length: 1...2048))
        policyARNs = try Self.policyARNs(parameters)
        sourceIdentity = try parameters.optional("SourceIdentity", Self.name)
        if let sourceIdentity, sourceIdentity.asciiLowercased.hasPrefix("aws:") {
            throw .validation("SourceIdentity must not begin with aws:")
        }
        tags = try parameters.identityTags("Tags")
        transitiveTagKeys = try parameters.list("TransitiveTagKeys")
        secondFactor = try SecondFactor(parameters)
        try Self.check(transitiveTagKeys, within: tags)
        guard packedPercent <= 100 else {
            throw AWSError(
                code: "PackedPolicyTooLarge",
                message: "Packed size of session tags and session policies consumes \(packedPercent)% of allotted space.")
        }
    }

    /// What policies and tags take of what they may; nil where there are none.
    var packedPolicySize: Int? { packedBytes == 0 ? nil : packedPercent }

    private var packedPercent: Int { (packedBytes * 100 + Self.maximumPackedBytes - 1) / Self.maximumPackedBytes }

    private var packedBytes: Int {
        (policy?.utf8.count ?? 0) + policyARNs.reduce(0) { $0 + $1.description.utf8.count }
            + tags.list.reduce(0) { $0 + $1.key.utf8.count + $1.value.utf8.count }
    }

    private static let known: Set<String> = [
        "RoleArn", "RoleSessionName", "DurationSeconds", "ExternalId", "Policy", "PolicyArns", "SourceIdentity", "Tags",
        "TransitiveTagKeys", "SerialNumber", "TokenCode",
    ]

    private static func policyARNs(_ parameters: QueryParameters) throws(AWSError) -> [ARN] {
        let texts = try parameters.structures("PolicyArns")
        guard texts.count <= maximumPolicyARNs else {
            throw .validation("There may be \(maximumPolicyARNs) session policies by ARN at most.")
        }
        var arns: [ARN] = []
        for text in texts {
            let name = try text.required("arn", StringRule(length: 20...2048))
            guard let arn = ARN(name), arn.resourceType == "policy" else { throw .validation("A policy ARN is invalid.") }
            arns.append(arn)
        }
        return arns
    }

    private static func check(_ transitive: [String], within tags: IdentityTags) throws(AWSError) {
        guard transitive.count <= IdentityTags.maximumTags else {
            throw .validation("There may be \(IdentityTags.maximumTags) transitive tag keys at most.")
        }
        guard transitive.allSatisfy({ tags[$0] != nil }) else {
            throw .invalidParameterValue("The specified transitive tag key must be included in the requested tags.")
        }
    }

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
}

extension AssumeRoleParameters {
    /// As the trail shows the request: without the code of the second factor.
    var trail: JSONObject {
        var object: JSONObject = ["roleArn": .string(roleARN.description), "roleSessionName": .string(sessionName)]
        object.append("externalId", ifPresent: externalID.map { .string($0) })
        object.append("durationSeconds", ifPresent: seconds.map { .int(Int64($0)) })
        object.append("policy", ifPresent: policy.map { .string($0) })
        if !policyARNs.isEmpty {
            object["policyArns"] = .array(policyARNs.map { ["arn": .string($0.description)] })
        }
        if !tags.isEmpty { object["tags"] = tags.trail }
        if !transitiveTagKeys.isEmpty { object["transitiveTagKeys"] = .strings(transitiveTagKeys) }
        object.append("serialNumber", ifPresent: secondFactor.map { .string($0.serial.description) })
        object.append("sourceIdentity", ifPresent: sourceIdentity.map { .string($0) })
        return object
    }
}

extension IdentityTags {
    var trail: JSONValue { .array(list.map { ["key": .string($0.key), "value": .string($0.value)] }) }
}

extension AWSError {
    static func invalidParameterValue(_ message: String) -> AWSError {
        AWSError(code: "InvalidParameterValue", message: message)
    }
}
