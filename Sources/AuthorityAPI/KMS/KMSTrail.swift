import AWSProtocol
import Accounts
import AuditTrail
import Keys
import Policies

/// Drafts of the records of KMS's calls, in the shape of the documented events (CloudTrail and KMS user guides).
///
/// Members are taken from the request by a list of names for each operation, so that what is not named here (plaintext,
/// ciphertext, grant tokens) cannot get into the trail. `tlsDetails` is missing: until this authority speaks TLS there
/// is nothing to say in it.
enum KMSTrail {
    static func record(
        of operation: KeyOperation, _ request: AuthenticatedRequest, identity: ServiceIdentity
    ) -> CloudTrailRecord {
        let source = request.principal.trailSource(
            sourceIP: request.sourceIP, userAgent: request.userAgent, identity)
        return CloudTrailRecord(
            userIdentity: request.principal.trailIdentity(identity), eventTime: request.eventTime,
            eventSource: "kms.amazonaws.com", eventName: operation.rawValue, awsRegion: identity.region,
            sourceIPAddress: source.sourceIPAddress, userAgent: source.userAgent, requestID: request.requestID,
            readOnly: operation.isReadOnly, recipientAccountID: request.principal.account,
            requestParameters: parameters(of: operation, request.body, identity: identity))
    }

    /// An operation that there is not: of its request nothing is kept but which key it named, because anything may stand in it.
    static func record(
        of operation: UnsupportedKeyOperation, _ request: AuthenticatedRequest, identity: ServiceIdentity
    ) -> CloudTrailRecord {
        let source = request.principal.trailSource(
            sourceIP: request.sourceIP, userAgent: request.userAgent, identity)
        let key = request.body["KeyId"]?.stringValue.map { String($0.prefix(KeyReference.maximumCharacters)) }
        return CloudTrailRecord(
            userIdentity: request.principal.trailIdentity(identity), eventTime: request.eventTime,
            eventSource: "kms.amazonaws.com", eventName: operation.rawValue, awsRegion: identity.region,
            sourceIPAddress: source.sourceIPAddress, userAgent: source.userAgent, requestID: request.requestID,
            readOnly: operation.isReadOnly, recipientAccountID: request.principal.account,
            requestParameters: key.map { ["keyId": .string($0)] })
    }

    /// `requestParameters`: the named members in camel case, null where there are none.
    static func parameters(of operation: KeyOperation, _ body: JSONObject, identity: ServiceIdentity) -> JSONObject? {
        var parameters = JSONObject()
        switch operation {
        case .encrypt, .decrypt:
            // Shown even where the request leaves it to the default.
            parameters["encryptionAlgorithm"] = body["EncryptionAlgorithm"] ?? .string(KeyMetadata.encryptionAlgorithm)
        case .reEncrypt:
            for name in ["SourceEncryptionAlgorithm", "DestinationEncryptionAlgorithm"] {
                parameters[name.camelCased] = body[name] ?? .string(KeyMetadata.encryptionAlgorithm)
            }
        case .createGrant:
            return grantParameters(body, identity: identity)
        case .retireGrant:
            return nil
        default:
            break
        }
        for name in members(of: operation) {
            guard let value = body[name], !value.isNull else { continue }
            parameters[name.camelCased] = isMap(name) ? value : value.withCamelCasedMembers
        }
        return parameters.isEmpty ? nil : parameters
    }

    private static func members(of operation: KeyOperation) -> [String] {
        switch operation {
        case .cancelKeyDeletion, .describeKey, .disableKey, .disableKeyRotation, .enableKey, .getKeyRotationStatus,
            .rotateKeyOnDemand:
            ["KeyId"]
        case .createAlias, .updateAlias: ["AliasName", "TargetKeyId"]
        case .deleteAlias: ["AliasName"]
        case .enableKeyRotation: ["KeyId", "RotationPeriodInDays"]
        case .generateRandom: ["NumberOfBytes"]
        case .listKeyPolicies, .listResourceTags: ["KeyId", "Limit", "Marker"]
        case .listKeyRotations: ["KeyId", "IncludeKeyMaterial", "Limit", "Marker"]
        case .reEncrypt:
            ["SourceKeyId", "SourceEncryptionContext", "DestinationKeyId", "DestinationEncryptionContext", "DryRun"]
        case .tagResource: ["KeyId", "Tags"]
        case .untagResource: ["KeyId", "TagKeys"]
        case .updateKeyDescription: ["KeyId", "Description"]
        case .createKey:
            [
                "Description", "KeyUsage", "KeySpec", "CustomerMasterKeySpec", "Origin", "MultiRegion", "Policy",
                "BypassPolicyLockoutSafetyCheck", "Tags",
            ]
        case .decrypt, .encrypt: ["KeyId", "EncryptionContext", "DryRun"]
        case .generateDataKey, .generateDataKeyWithoutPlaintext:
            ["KeyId", "KeySpec", "NumberOfBytes", "EncryptionContext", "DryRun"]
        case .getKeyPolicy: ["KeyId", "PolicyName"]
        case .listAliases: ["KeyId", "Limit", "Marker"]
        case .listGrants: ["KeyId", "GrantId", "GranteePrincipal", "GranteeServicePrincipal", "Limit", "Marker"]
        case .listKeys: ["ResourceOwners", "Limit", "Marker"]
        case .listRetirableGrants: ["RetiringPrincipal", "RetiringServicePrincipal", "Limit", "Marker"]
        case .putKeyPolicy: ["KeyId", "PolicyName", "Policy", "BypassPolicyLockoutSafetyCheck"]
        case .revokeGrant: ["KeyId", "GrantId", "DryRun"]
        case .scheduleKeyDeletion: ["KeyId", "PendingWindowInDays"]
        case .createGrant, .retireGrant, .reEncryptFrom, .reEncryptTo: []
        }
    }

    /// The documented members in their order, then what the documented event lacks: who may retire, constraints, name.
    private static func grantParameters(_ body: JSONObject, identity: ServiceIdentity) -> JSONObject {
        var parameters = JSONObject()
        parameters.append("operations", ifPresent: body["Operations"])
        parameters.append("granteePrincipal", ifPresent: body["GranteePrincipal"].map { shown($0, identity) })
        parameters.append("granteeServicePrincipal", ifPresent: body["GranteeServicePrincipal"])
        parameters.append("keyId", ifPresent: body["KeyId"])
        parameters.append("retiringPrincipal", ifPresent: body["RetiringPrincipal"].map { shown($0, identity) })
        parameters.append("retiringServicePrincipal", ifPresent: body["RetiringServicePrincipal"])
        if let constraints = body["Constraints"]?.objectValue {
            parameters["constraints"] = .object(JSONObject(constraints.members.map { ($0.key.camelCased, $0.value) }))
        }
        parameters.append("name", ifPresent: body["Name"])
        parameters.append("dryRun", ifPresent: body["DryRun"])
        return parameters
    }

    /// Principals of the service's own account appear as `AWS Internal`.
    private static func shown(_ principal: JSONValue, _ identity: ServiceIdentity) -> JSONValue {
        guard let arn = principal.stringValue.flatMap({ ARN($0) }), identity.isOwn(arn) else { return principal }
        return "AWS Internal"
    }

    /// Its keys are the customer's own words, not members of the API.
    private static func isMap(_ name: String) -> Bool { name.hasSuffix("EncryptionContext") }
}
