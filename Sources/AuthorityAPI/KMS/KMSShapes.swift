import AWSProtocol
import Keys
import Policies

extension KeyMetadata {
    /// `KeyMetadata` of CreateKey and DescribeKey. `KeyId` is the bare id here, unlike in every other answer.
    var json: JSONObject {
        var object: JSONObject = [
            "AWSAccountId": .string(account), "KeyId": .string(keyID), "Arn": .string(arn.description),
            "CreationDate": AWSTimestamp.epoch(createdAt), "Enabled": .bool(state == .enabled),
            "Description": .string(description), "KeyUsage": .string(Self.keyUsage), "KeyState": .string(state.rawValue),
        ]
        object.append("DeletionDate", ifPresent: deletionAt.map(AWSTimestamp.epoch))
        object["Origin"] = .string(Self.origin)
        object["KeyManager"] = "CUSTOMER"
        object["CustomerMasterKeySpec"] = .string(Self.keySpec)
        object["KeySpec"] = .string(Self.keySpec)
        object["EncryptionAlgorithms"] = [.string(Self.encryptionAlgorithm)]
        object["MultiRegion"] = false
        object.append("PendingDeletionWindowInDays", ifPresent: deletionWindowDays.map { .int(Int64($0)) })
        object["CurrentKeyMaterialId"] = .string(currentMaterialID)
        return object
    }
}

extension KeyGrant {
    /// `GrantListEntry`: never with a token.
    var json: JSONObject {
        var object: JSONObject = ["KeyId": .string(keyARN.description), "GrantId": .string(id)]
        object["Name"] = .string(name ?? "")
        object["CreationDate"] = AWSTimestamp.epoch(createdAt)
        object[isForService ? "GranteeServicePrincipal" : "GranteePrincipal"] = .string(grantee)
        object.append(
            isRetiredByService ? "RetiringServicePrincipal" : "RetiringPrincipal", ifPresent: retiring.map { .string($0) })
        object["IssuingAccount"] = .string("arn:aws:iam::\(issuingAccount):root")
        object["Operations"] = .strings(operations.map(\.rawValue))
        var members = JSONObject()
        members.append("EncryptionContextSubset", ifPresent: constraints.subset.map { .stringMap($0) })
        members.append("EncryptionContextEquals", ifPresent: constraints.equals.map { .stringMap($0) })
        members.append("SourceArn", ifPresent: sourceARN.map { .string($0) })
        if !members.isEmpty { object["Constraints"] = .object(members) }
        return object
    }
}

extension KeyRotation {
    /// `RotationsListEntry`; the first material has neither date nor type.
    var json: JSONObject {
        var object: JSONObject = [
            "KeyId": .string(key.description), "KeyMaterialId": .string(materialID),
            "KeyMaterialState": isCurrent ? "CURRENT" : "NON_CURRENT",
        ]
        object.append("RotationDate", ifPresent: rotatedAt.map(AWSTimestamp.epoch))
        object.append("RotationType", ifPresent: type.map { .string($0.rawValue) })
        return object
    }
}

extension KeyRotationStatus {
    /// `OnDemandRotationStartDate` never shows: a rotation on demand is done when it is answered.
    var json: JSONObject {
        var object: JSONObject = ["KeyRotationEnabled": .bool(schedule != nil), "KeyId": .string(key.description)]
        object.append("RotationPeriodInDays", ifPresent: schedule.map { .int(Int64($0.periodDays)) })
        object.append("NextRotationDate", ifPresent: schedule.map { AWSTimestamp.epoch($0.next) })
        return object
    }
}

extension KeyTag {
    var json: JSONObject { ["TagKey": .string(key), "TagValue": .string(value)] }
}

extension ListPage {
    /// The page under its name, with `Truncated` always, as clients' paginators want it.
    func json(_ name: String, _ entry: (Item) -> JSONObject) -> JSONObject {
        var object: JSONObject = [name: .array(items.map { .object(entry($0)) })]
        object.append("NextMarker", ifPresent: nextMarker.map { .string($0) })
        object["Truncated"] = .bool(nextMarker != nil)
        return object
    }
}
