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
        object["GranteePrincipal"] = .string(grantee)
        object.append("RetiringPrincipal", ifPresent: retiring.map { .string($0) })
        object["IssuingAccount"] = .string("arn:aws:iam::\(issuingAccount):root")
        object["Operations"] = .strings(operations.map(\.rawValue))
        if let pairs = constraints.equals {
            object["Constraints"] = ["EncryptionContextEquals": .stringMap(pairs)]
        } else if let pairs = constraints.subset {
            object["Constraints"] = ["EncryptionContextSubset": .stringMap(pairs)]
        }
        return object
    }
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
