package import AWSProtocol

package import struct FoundationEssentials.Date

/// The `userIdentity` of a record: who made the call.
///
/// Source: CloudTrail user guide, "CloudTrail userIdentity element". Member order is that of the
/// published samples; members that a kind of principal lacks are left out, never null.
package struct CloudTrailIdentity: Sendable, Equatable {
    /// What kind of principal made the call; the `type` member.
    package enum Kind: String, Sendable {
        case iamUser = "IAMUser"
        case root = "Root"
        case assumedRole = "AssumedRole"
        case awsService = "AWSService"
        case awsAccount = "AWSAccount"
    }

    /// Facts about temporary credentials; `sessionContext`.
    package struct Session: Sendable, Equatable {
        /// The role behind an assumed-role session; nil for sessions of users.
        package struct Issuer: Sendable, Equatable {
            package var principalID: String
            package var arn: String
            package var accountID: String
            package var userName: String

            package init(principalID: String, arn: String, accountID: String, userName: String) {
                self.principalID = principalID
                self.arn = arn
                self.accountID = accountID
                self.userName = userName
            }
        }

        package var issuer: Issuer?
        package var creationDate: Date
        package var mfaAuthenticated: Bool
        package var sourceIdentity: String?

        package init(issuer: Issuer?, creationDate: Date, mfaAuthenticated: Bool = false, sourceIdentity: String? = nil) {
            self.issuer = issuer
            self.creationDate = creationDate
            self.mfaAuthenticated = mfaAuthenticated
            self.sourceIdentity = sourceIdentity
        }
    }

    package var kind: Kind
    package var principalID: String?
    package var arn: String?
    package var accountID: String?
    package var accessKeyID: String?
    package var userName: String?
    package var session: Session?
    package var invokedBy: String?

    /// A user with long-term keys, or with a session of its own (`session`).
    package static func iamUser(
        principalID: String, arn: String, accountID: String, accessKeyID: String?, userName: String, session: Session? = nil
    ) -> CloudTrailIdentity {
        CloudTrailIdentity(
            kind: .iamUser, principalID: principalID, arn: arn, accountID: accountID, accessKeyID: accessKeyID,
            userName: userName, session: session)
    }

    package static func root(accountID: String, accessKeyID: String?) -> CloudTrailIdentity {
        CloudTrailIdentity(
            kind: .root, principalID: accountID, arn: "arn:aws:iam::\(accountID):root", accountID: accountID,
            accessKeyID: accessKeyID)
    }

    /// `principalID` is `AROA…:session name`, `arn` the assumed-role ARN.
    package static func assumedRole(
        principalID: String, arn: String, accountID: String, accessKeyID: String?, session: Session
    ) -> CloudTrailIdentity {
        CloudTrailIdentity(
            kind: .assumedRole, principalID: principalID, arn: arn, accountID: accountID, accessKeyID: accessKeyID,
            session: session)
    }

    /// A service acting for itself, for example `forecast.amazonaws.com`.
    package static func awsService(invokedBy: String) -> CloudTrailIdentity {
        CloudTrailIdentity(kind: .awsService, invokedBy: invokedBy)
    }

    /// A principal of another account, as the owner of the touched resource sees it.
    package static func awsAccount(principalID: String, accountID: String) -> CloudTrailIdentity {
        CloudTrailIdentity(kind: .awsAccount, principalID: principalID, accountID: accountID)
    }

    /// The same identity in a call that a service makes for it (forward access session).
    package func invoked(by service: String) -> CloudTrailIdentity {
        var copy = self
        copy.invokedBy = service
        return copy
    }

    /// What LookupEvents calls `Username`: for a session its name, for a service its DNS name.
    package var lookupName: String? {
        Self.lookupName(kind: kind, principalID: principalID, userName: userName, invokedBy: invokedBy)
    }

    static func lookupName(kind: Kind, principalID: String?, userName: String?, invokedBy: String?) -> String? {
        switch kind {
        case .iamUser: return userName
        case .root: return "root"
        case .awsService: return invokedBy
        case .awsAccount: return nil
        case .assumedRole:
            guard let principalID, let colon = principalID.firstIndex(of: ":") else { return nil }
            return String(principalID[principalID.index(after: colon)...])
        }
    }

    package var json: JSONObject {
        var object = JSONObject()
        object["type"] = .string(kind.rawValue)
        if let principalID { object["principalId"] = .string(principalID) }
        if let arn { object["arn"] = .string(arn) }
        if let accountID { object["accountId"] = .string(accountID) }
        if let accessKeyID { object["accessKeyId"] = .string(accessKeyID) }
        if let userName { object["userName"] = .string(userName) }
        if let session { object["sessionContext"] = .object(session.json) }
        if let invokedBy { object["invokedBy"] = .string(invokedBy) }
        return object
    }
}

extension CloudTrailIdentity.Session {
    fileprivate var json: JSONObject {
        var object = JSONObject()
        if let issuer {
            var issuerObject = JSONObject()
            issuerObject["type"] = .string("Role")
            issuerObject["principalId"] = .string(issuer.principalID)
            issuerObject["arn"] = .string(issuer.arn)
            issuerObject["accountId"] = .string(issuer.accountID)
            issuerObject["userName"] = .string(issuer.userName)
            object["sessionIssuer"] = .object(issuerObject)
            object["webIdFederationData"] = .object(JSONObject())
        }
        if let sourceIdentity { object["sourceIdentity"] = .string(sourceIdentity) }
        // Real records have the flag as a string.
        var attributes = JSONObject()
        attributes["creationDate"] = .string(CloudTrailRecord.timestamp(creationDate))
        attributes["mfaAuthenticated"] = .string(mfaAuthenticated ? "true" : "false")
        object["attributes"] = .object(attributes)
        return object
    }
}
