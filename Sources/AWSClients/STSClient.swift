package import AWSProtocol
import Secrets

package import struct FoundationEssentials.Date

/// Calls of STS, at the authority or at AWS.
package struct STSClient: Sendable {
    package static let signingName = "sts"
    private static let version = "2011-06-15"

    private let caller: AWSCaller

    package init(configuration: AWSClientConfiguration, transport: any AWSTransport) {
        self.init(
            caller: AWSCaller(configuration: configuration, transport: transport, signingName: Self.signingName))
    }

    package init(caller: AWSCaller) { self.caller = caller }

    package func assumeRole(_ request: AssumeRoleRequest) async throws(AWSError) -> AssumedRole {
        let answer = try await caller.query(
            QueryParameters(request.parameters.merging(["Action": "AssumeRole", "Version": Self.version]) { $1 }),
            extraHeaders: request.headers)
        guard answer.name == "AssumeRoleResponse", let result = answer["AssumeRoleResult"],
            let credentials = result["Credentials"], let accessKeyID = credentials["AccessKeyId"]?.text,
            let secret = credentials["SecretAccessKey"]?.text, let token = credentials["SessionToken"]?.text,
            let expiration = credentials["Expiration"].flatMap({ AWSTimestamp.parseExtended($0.text) }),
            let arn = result["AssumedRoleUser"]?["Arn"]?.text
        else { throw .malformedAnswer() }
        return AssumedRole(
            credentials: AWSCredentials(
                accessKeyID: accessKeyID, secretAccessKey: Redacted(secret), sessionToken: token),
            expiration: expiration, sessionARN: arn)
    }

    package func getCallerIdentity() async throws(AWSError) -> CallerIdentity {
        let answer = try await caller.query(
            QueryParameters(["Action": "GetCallerIdentity", "Version": Self.version]))
        guard let result = answer["GetCallerIdentityResult"], let arn = result["Arn"]?.text,
            let account = result["Account"]?.text, let userID = result["UserId"]?.text
        else { throw .malformedAnswer() }
        return CallerIdentity(arn: arn, account: account, userID: userID)
    }
}

package struct CallerIdentity: Sendable, Equatable {
    package let arn: String
    package let account: String
    package let userID: String

    package init(arn: String, account: String, userID: String) {
        self.arn = arn
        self.account = account
        self.userID = userID
    }
}

/// Credentials of a role's session.
package struct AssumedRole: Sendable {
    package let credentials: AWSCredentials
    package let expiration: Date
    /// `arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION`.
    package let sessionARN: String

    package init(credentials: AWSCredentials, expiration: Date, sessionARN: String) {
        self.credentials = credentials
        self.expiration = expiration
        self.sessionARN = sessionARN
    }
}

/// A role to assume, and for whom.
package struct AssumeRoleRequest: Sendable {
    /// Longest user agent that is handed on.
    package static let maximumUserAgentBytes = 512

    package var roleARN: String
    package var sessionName: String
    package var duration: Duration
    package var externalID: String?
    package var sourceIdentity: String?
    /// The resource and the account for which a service assumes it; only service principals may say so.
    package var sourceARN: String?
    package var sourceAccount: String?
    /// Address and user agent of the request that the work is for, for the trail; only service principals may say so.
    package var forwarding: Forwarding?

    package struct Forwarding: Sendable, Equatable {
        package var sourceIP: String
        package var userAgent: String

        package init(sourceIP: String, userAgent: String) {
            self.sourceIP = sourceIP
            self.userAgent = userAgent
        }
    }

    package init(
        roleARN: String, sessionName: String, duration: Duration = .seconds(3600), externalID: String? = nil,
        sourceIdentity: String? = nil, sourceARN: String? = nil, sourceAccount: String? = nil,
        forwarding: Forwarding? = nil
    ) {
        self.roleARN = roleARN
        self.sessionName = sessionName
        self.duration = duration
        self.externalID = externalID
        self.sourceIdentity = sourceIdentity
        self.sourceARN = sourceARN
        self.sourceAccount = sourceAccount
        self.forwarding = forwarding
    }

    var parameters: [String: String] {
        var parameters = [
            "RoleArn": roleARN, "RoleSessionName": sessionName, "DurationSeconds": String(duration.components.seconds),
        ]
        parameters["ExternalId"] = externalID
        parameters["SourceIdentity"] = sourceIdentity
        return parameters
    }

    var headers: [(String, String)] {
        let headers = [
            (ServiceHeaders.sourceARN, sourceARN), (ServiceHeaders.sourceAccount, sourceAccount),
            (ServiceHeaders.sourceIP, forwarding?.sourceIP),
            (ServiceHeaders.userAgent, forwarding.map { Self.headerSafe($0.userAgent) }),
        ]
        return headers.compactMap { name, value in value.map { (name, $0) } }
    }

    /// What a caller sent as its user agent goes into a header of ours: printable ASCII of bounded length.
    private static func headerSafe(_ text: String) -> String {
        let bytes = text.utf8.prefix(maximumUserAgentBytes)
            .map { (0x20..<0x7F).contains($0) ? $0 : UInt8(ascii: "?") }
        return String(decoding: bytes, as: UTF8.self)
    }
}
