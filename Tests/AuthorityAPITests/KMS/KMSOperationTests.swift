import AWSProtocol
import Accounts
import FoundationEssentials
import Keys
import Postgres
import PostgresTesting
import Testing

/// The operations on keys, aliases, tags and rotation on the wire, and what the trail has of them.
@Suite(.enabled(if: TestDatabase.isAvailable)) struct KMSOperationTests {
    @Test func rotationOnTheWire() async throws {
        try await KMSHouse.with { house in
            let key = try await house.createKey()
            let off = try await house.kms("GetKeyRotationStatus", ["KeyId": .string(key)])
            #expect(off.json == ["KeyRotationEnabled": false, "KeyId": .string(key)])
            let enabled = try await house.kms("EnableKeyRotation", ["KeyId": .string(key), "RotationPeriodInDays": 90])
            #expect(enabled.status == 200 && enabled.json == .null)
            let status = try await house.kms("GetKeyRotationStatus", ["KeyId": .string(key)])
            #expect(
                status.json.objectValue?.keys == ["KeyRotationEnabled", "KeyId", "RotationPeriodInDays", "NextRotationDate"])
            #expect(try await house.kms("RotateKeyOnDemand", ["KeyId": .string(key)]).json == ["KeyId": .string(key)])
            let listed = try await house.kms("ListKeyRotations", ["KeyId": .string(key)])
            let entry = try #require(listed.json["Rotations"]?.arrayValue?.first)
            #expect(
                entry.objectValue?.keys == ["KeyId", "KeyMaterialId", "KeyMaterialState", "RotationDate", "RotationType"])
            let all = try await house.kms(
                "ListKeyRotations", ["KeyId": .string(key), "IncludeKeyMaterial": "ALL_KEY_MATERIAL", "Limit": 1])
            #expect(
                all.json["Rotations"]?.arrayValue?.first?.objectValue?.keys == ["KeyId", "KeyMaterialId", "KeyMaterialState"])
            #expect(all.json["Truncated"] == true)
            _ = try await house.kms("DisableKeyRotation", ["KeyId": .string(key)])

            let record = try #require(try await house.records("EnableKeyRotation").first)
            #expect(record["requestParameters"] == ["keyId": .string(key), "rotationPeriodInDays": 90])
            #expect(record["responseElements"] == ["keyId": .string(key)] && record["readOnly"] == false)
            let rotated = try #require(try await house.records("RotateKey").first)
            #expect(rotated["eventType"] == "AwsServiceEvent" && rotated["requestParameters"] == .null)
            #expect(try await house.records("GetKeyRotationStatus").first?["readOnly"] == true)
            #expect(
                try await house.records("ListKeyRotations").last?["requestParameters"] == [
                    "keyId": .string(key), "includeKeyMaterial": "ALL_KEY_MATERIAL", "limit": 1,
                ])
        }
    }

    @Test func tagsAndAliasesOnTheWire() async throws {
        try await KMSHouse.with { house in
            let key = try await house.createKey()
            let other = try await house.createKey()
            let tagged = try await house.kms("TagResource", ["KeyId": .string(key), "Tags": [["TagKey": "a", "TagValue": "1"]]])
            #expect(tagged.status == 200 && tagged.json == .null)
            let listed = try await house.kms("ListResourceTags", ["KeyId": .string(key)])
            #expect(listed.json == ["Tags": [["TagKey": "a", "TagValue": "1"]], "Truncated": false])
            _ = try await house.kms("UntagResource", ["KeyId": .string(key), "TagKeys": ["a"]])
            #expect(try await house.kms("ListResourceTags", ["KeyId": .string(key)]).json["Tags"] == [])
            _ = try await house.kms("CreateAlias", ["AliasName": "alias/a", "TargetKeyId": .string(key)])
            #expect(try await house.kms("UpdateAlias", ["AliasName": "alias/a", "TargetKeyId": .string(other)]).status == 200)
            #expect(try await house.kms("DeleteAlias", ["AliasName": "alias/a"]).status == 200)
            #expect(
                try await house.kms("UpdateKeyDescription", ["KeyId": .string(key), "Description": ""]).status == 200)

            #expect(
                try await house.records("TagResource").first?["requestParameters"] == [
                    "keyId": .string(key), "tags": [["tagKey": "a", "tagValue": "1"]],
                ])
            #expect(
                try await house.records("UntagResource").first?["requestParameters"] == [
                    "keyId": .string(key), "tagKeys": ["a"],
                ])
            let alias = "arn:aws:kms:us-west-2:\(KMSHouse.customer):alias/a"
            let moved = try #require(try await house.records("UpdateAlias").first)
            #expect(moved["requestParameters"] == ["aliasName": "alias/a", "targetKeyId": .string(other)])
            #expect(moved["resources"]?.arrayValue?.map { $0["ARN"]?.stringValue } == [key, other, alias])
            let deleted = try #require(try await house.records("DeleteAlias").first)
            #expect(deleted["resources"]?.arrayValue?.map { $0["ARN"]?.stringValue } == [other, alias])
            #expect(
                deleted["resources"]?.arrayValue?.map { $0["type"]?.stringValue } == ["AWS::KMS::Key", "AWS::KMS::Alias"])
        }
    }

    @Test func reEncryptAndGenerateRandomOnTheWire() async throws {
        try await KMSHouse.with { house in
            let (one, two) = (try await house.createKey(), try await house.createKey())
            let sealed = try await house.kms(
                "Encrypt", ["KeyId": .string(one), "Plaintext": "YQ==", "EncryptionContext": ["Some Key": "1"]])
            let blob = JSONValue.string(sealed["CiphertextBlob"] ?? "")
            let moved = try await house.kms(
                "ReEncrypt",
                [
                    "CiphertextBlob": blob, "SourceEncryptionContext": ["Some Key": "1"], "DestinationKeyId": .string(two),
                    "DestinationEncryptionContext": ["Other Key": "2"],
                ])
            #expect(
                moved.json.objectValue?.keys == [
                    "CiphertextBlob", "SourceKeyId", "KeyId", "SourceEncryptionAlgorithm", "DestinationEncryptionAlgorithm",
                    "SourceKeyMaterialId", "DestinationKeyMaterialId",
                ])
            #expect(moved["SourceKeyId"] == one && moved["KeyId"] == two)
            let record = try #require(try await house.records("ReEncrypt").first)
            #expect(
                record["requestParameters"] == [
                    "sourceEncryptionAlgorithm": "SYMMETRIC_DEFAULT", "destinationEncryptionAlgorithm": "SYMMETRIC_DEFAULT",
                    "sourceEncryptionContext": ["Some Key": "1"], "destinationKeyId": .string(two),
                    "destinationEncryptionContext": ["Other Key": "2"],
                ])
            #expect(record["readOnly"] == true && record["responseElements"] == .null)
            #expect(record["resources"]?.arrayValue?.map { $0["ARN"]?.stringValue } == [one, two])
            for side in ["Source", "Destination"] {
                let wrong = try await house.kms(
                    "ReEncrypt",
                    ["CiphertextBlob": blob, "DestinationKeyId": .string(two), side + "EncryptionAlgorithm": "SM2PKE"])
                #expect(wrong.code == "InvalidKeyUsageException")
            }
            let without = try await house.kms("ReEncrypt", ["DestinationKeyId": .string(two), "DryRun": true])
            #expect(without.code == "ValidationException")
            let ignoring = try await house.kms(
                "ReEncrypt",
                [
                    "SourceKeyId": .string(one), "DestinationKeyId": .string(two), "DryRun": true,
                    "DryRunModifiers": ["IGNORE_CIPHERTEXT"],
                ])
            #expect(ignoring.code == "DryRunOperationException" && ignoring.status == 412)

            let random = try await house.kms("GenerateRandom", ["NumberOfBytes": 1024])
            #expect(random.isSecret && Base64.decode(random["Plaintext"] ?? "")?.count == 1024)
            let rows: [(JSONObject, String)] = [
                ([:], "ValidationException"), (["NumberOfBytes": 0], "ValidationException"),
                (["NumberOfBytes": 1025], "ValidationException"),
                (["NumberOfBytes": 1, "CustomKeyStoreId": "cks-1"], "UnsupportedOperationException"),
                (["NumberOfBytes": 1, "Recipient": [:]], "UnsupportedOperationException"),
            ]
            for (body, code) in rows { #expect(try await house.kms("GenerateRandom", body).code == code, "\(body.keys)") }
            let nobody = try await house.user("nobody")
            #expect(try await house.kms("GenerateRandom", ["NumberOfBytes": 1], as: nobody).code == "AccessDeniedException")
        }
    }

    @Test func everyOperationOfTheModelIsEitherCarriedOutOrRefused() {
        let carriedOut = KeyOperation.allCases.filter(\.isCallable).map(\.rawValue)
        let refused = UnsupportedKeyOperation.allCases.map(\.rawValue)
        #expect(Set(carriedOut).isDisjoint(with: refused))
        // Of botocore 1.44.8; the client tests compare the names themselves.
        #expect(carriedOut.count + refused.count == 56)
    }

    @Test func whatIsUnsupportedIsRecordedWithoutItsParameters() async throws {
        try await KMSHouse.with { house in
            let key = try await house.createKey()
            let answer = try await house.kms("Sign", ["KeyId": .string(key), "Message": "c2VjcmV0"])
            #expect(answer.code == "UnsupportedOperationException" && answer.status == 400)
            let record = try #require(try await house.records("Sign").first)
            #expect(record["requestParameters"] == ["keyId": .string(key)] && record["readOnly"] == true)
            #expect(record["errorCode"] == "UnsupportedOperationException")
            _ = try await house.kms("CreateCustomKeyStore", ["CustomKeyStoreName": "s", "KeyStorePassword": "geheim"])
            let store = try #require(try await house.records("CreateCustomKeyStore").first)
            #expect(store["requestParameters"] == .null && store["readOnly"] == false)
            #expect(!store.serializedString.contains("geheim"))
        }
    }

    @Test func whatIsRefusedWhileTheRequestIsReadIsRecordedToo() async throws {
        try await KMSHouse.with { house in
            _ = try await house.kms("DescribeKey", ["KeyId": "arn:aws:s3:::bucket"])
            _ = try await house.kms("DescribeKey", ["KeyId": "no id"])
            #expect(
                try await house.records("DescribeKey").map { $0["errorCode"]?.stringValue } == [
                    "InvalidArnException", "NotFoundException",
                ])
            _ = try await house.kms("CreateKey", ["KeySpec": "ML_KEM_768", "KeyUsage": "ENCAPSULATE_DECAPSULATE"])
            #expect(try await house.records("CreateKey").last?["errorCode"] == "UnsupportedOperationException")
        }
    }

    @Test func inputOfTheNewOperationsStaysWithinTheModel() async throws {
        try await KMSHouse.with { house in
            let key = JSONValue.string(try await house.createKey())
            let long = { (count: Int) in JSONValue.string(String(repeating: "a", count: count)) }
            let tags = { (range: ClosedRange<Int>) in
                JSONValue.array(range.map { ["TagKey": .string("k\($0)"), "TagValue": ""] })
            }
            let user = JSONValue.string("arn:aws:iam::\(KMSHouse.customer):user/admin")
            let source = JSONValue.string("arn:aws:forecast:us-west-2:\(KMSHouse.customer):predictor/p")
            func grant(_ members: JSONObject) -> JSONObject {
                var body: JSONObject = ["KeyId": key, "Operations": ["Decrypt"]]
                for member in members.members { body[member.key] = member.value }
                return body
            }
            let rows: [(String, JSONObject, String)] = [
                ("EnableKeyRotation", ["KeyId": key, "RotationPeriodInDays": 89], "ValidationException"),
                ("EnableKeyRotation", ["KeyId": key, "RotationPeriodInDays": 2561], "ValidationException"),
                ("ListKeyRotations", ["KeyId": key, "IncludeKeyMaterial": "SOME"], "ValidationException"),
                ("ListKeyRotations", ["KeyId": key, "Limit": 1001], "ValidationException"),
                ("ListKeyRotations", ["KeyId": key, "Marker": "x"], "InvalidMarkerException"),
                ("ListResourceTags", ["KeyId": key, "Limit": 51], "ValidationException"),
                ("ListResourceTags", ["KeyId": key, "Marker": "x"], "InvalidMarkerException"),
                ("ListKeyPolicies", ["KeyId": key, "Marker": "x"], "InvalidMarkerException"),
                ("ListKeyPolicies", ["KeyId": key, "Limit": 1001], "ValidationException"),
                ("ListKeys", ["ResourceOwners": ["SOMEBODY"]], "ValidationException"),
                ("ListKeys", ["ResourceOwners": []], "ValidationException"),
                ("TagResource", ["KeyId": key], "ValidationException"),
                ("TagResource", ["KeyId": key, "Tags": [["TagKey": ""]]], "ValidationException"),
                ("TagResource", ["KeyId": key, "Tags": [["TagKey": long(129), "TagValue": ""]]], "ValidationException"),
                ("TagResource", ["KeyId": key, "Tags": [["TagKey": "k", "TagValue": long(257)]]], "ValidationException"),
                ("TagResource", ["KeyId": key, "Tags": [["TagKey": "aws:k", "TagValue": ""]]], "TagException"),
                ("TagResource", ["KeyId": key, "Tags": tags(1...51)], "LimitExceededException"),
                ("TagResource", ["KeyId": key, "Tags": tags(1...50)], ""),
                ("UntagResource", ["KeyId": key], "ValidationException"),
                ("UntagResource", ["KeyId": key, "TagKeys": [""]], "ValidationException"),
                ("CreateKey", ["Tags": tags(1...51)], "LimitExceededException"),
                ("UpdateKeyDescription", ["KeyId": key], "ValidationException"),
                ("UpdateKeyDescription", ["KeyId": key, "Description": long(8193)], "ValidationException"),
                ("UpdateAlias", ["AliasName": "alias/!", "TargetKeyId": key], "ValidationException"),
                ("UpdateAlias", ["AliasName": "alias/none", "TargetKeyId": key], "NotFoundException"),
                ("DeleteAlias", ["AliasName": "alias/none"], "NotFoundException"),
                ("DeleteAlias", [:], "ValidationException"),
                ("CreateAlias", ["AliasName": "alias/aws/x", "TargetKeyId": key], "InvalidAliasNameException"),
                ("CreateAlias", ["AliasName": "alias/a b", "TargetKeyId": key], "ValidationException"),
                (
                    "CreateAlias", ["AliasName": .string("alias/" + String(repeating: "a", count: 251)), "TargetKeyId": key],
                    "ValidationException"
                ),
                ("CreateGrant", grant([:]), "ValidationException"),
                ("CreateGrant", grant(["GranteePrincipal": user, "GranteeServicePrincipal": "a.b.c"]), "ValidationException"),
                ("CreateGrant", grant(["GranteeServicePrincipal": "forecast"]), "ValidationException"),
                (
                    "CreateGrant", grant(["GranteePrincipal": user, "Constraints": ["SourceArn": "arn:aws:x"]]),
                    "ValidationException"
                ),
                (
                    "CreateGrant",
                    grant(["GranteePrincipal": user, "Constraints": ["SourceArn": "arn:aws:forecast:us-west-2:12:x/yyyyy"]]),
                    "ValidationException"
                ),
                ("CreateGrant", grant(["GranteePrincipal": user, "Constraints": ["SourceArn": source]]), ""),
                (
                    "CreateGrant",
                    grant([
                        "GranteeServicePrincipal": "forecast.amazonaws.com", "RetiringPrincipal": user,
                        "Constraints": ["SourceArn": source],
                    ]), ""
                ),
                ("CreateGrant", ["KeyId": key, "GranteePrincipal": user, "Operations": ["Encapsulate"]], "ValidationException"),
                ("ListRetirableGrants", [:], "ValidationException"),
                ("ListRetirableGrants", ["RetiringServicePrincipal": "forecast.amazonaws.com"], "AccessDeniedException"),
                ("ListGrants", ["KeyId": key, "GranteeServicePrincipal": "forecast.amazonaws.com"], "AccessDeniedException"),
                ("ListGrants", ["KeyId": key, "Limit": 101], "ValidationException"),
            ]
            for (operation, body, code) in rows {
                #expect(try await house.kms(operation, body).code == code, "\(operation) \(body.keys)")
            }
            let own = try await house.kms("ListKeys", ["ResourceOwners": ["SELF", "OTHER_ACCOUNTS_VIA_RAM"]])
            #expect(own.json["Keys"]?.arrayValue?.isEmpty == false)
            #expect(try await house.kms("ListKeys", ["ResourceOwners": ["OTHER_ACCOUNTS_VIA_RAM"]]).json["Keys"] == [])
        }
    }

    @Test func aGrantToTheServiceWorksForSessionsOfItsOwnWithThatSource() async throws {
        try await KMSHouse.with { house in
            let key = try await house.createKey()
            let predictor = "arn:aws:forecast:us-west-2:\(KMSHouse.customer):predictor/p"
            let made = try await house.kms(
                "CreateGrant",
                [
                    "KeyId": .string(key), "GranteeServicePrincipal": "forecast.amazonaws.com",
                    "RetiringServicePrincipal": "forecast.amazonaws.com", "Operations": ["GenerateDataKey", "Decrypt"],
                    "Constraints": ["SourceArn": .string(predictor), "EncryptionContextSubset": ["a": "1"]],
                ])
            let grantID = try #require(made["GrantId"])
            let worker = try #require(try await house.accounts.role("forecastle-worker", account: "999999999999"))
            let session = try await house.serviceSession(of: worker, name: "job1")
            let plain = try await house.assume(worker, as: house.users["forecastle-worker"]!, name: "job1")
            let use: JSONObject = ["KeyId": .string(key), "NumberOfBytes": 32, "EncryptionContext": ["a": "1"]]
            #expect(try await house.kms("GenerateDataKey", use, as: session).status == 200)
            #expect(try await house.kms("GenerateDataKey", use, as: plain).code == "AccessDeniedException")
            // Nobody else gets a session with a source: not the operator, and the worker not of a role that does not trust it.
            await #expect(throws: AWSError.self) {
                try await house.assume(
                    worker, as: house.users["forecastle-operator"]!, name: "job1",
                    headers: [(ServiceHeaders.sourceARN, predictor), (ServiceHeaders.sourceAccount, KMSHouse.customer)])
            }
            let listed = try await house.kms("ListGrants", ["KeyId": .string(key)])
            let entry = try #require(listed.json["Grants"]?.arrayValue?.first)
            #expect(
                entry.objectValue?.keys == [
                    "KeyId", "GrantId", "Name", "CreationDate", "GranteeServicePrincipal", "RetiringServicePrincipal",
                    "IssuingAccount", "Operations", "Constraints",
                ])
            #expect(entry["Constraints"]?["SourceArn"]?.stringValue == predictor)
            let sweeper = try #require(try await house.accounts.role("forecastle-sweeper", account: "999999999999"))
            let sweeping = try await house.assume(sweeper, as: house.users["forecastle-worker"]!, name: "sweep")
            let retirable = try await house.kms(
                "ListRetirableGrants", ["RetiringServicePrincipal": "forecast.amazonaws.com"], as: sweeping)
            #expect(retirable.json["Grants"]?.arrayValue?.first?["GrantId"]?.stringValue == grantID)
            #expect(
                try await house.kms("RetireGrant", ["KeyId": .string(key), "GrantId": .string(grantID)], as: sweeping).status
                    == 200)
            #expect(try await house.kms("GenerateDataKey", use, as: session).code == "AccessDeniedException")
            let created = try #require(try await house.records("CreateGrant").first)
            #expect(
                created["requestParameters"] == [
                    "operations": ["GenerateDataKey", "Decrypt"], "granteeServicePrincipal": "forecast.amazonaws.com",
                    "keyId": .string(key), "retiringServicePrincipal": "forecast.amazonaws.com",
                    "constraints": ["sourceArn": .string(predictor), "encryptionContextSubset": ["a": "1"]],
                ])
        }
    }

    @Test func anExpiredSessionsGrantIsNoGood() async throws {
        try await KMSHouse.with { house in
            let key = try await house.createKey()
            let worker = try #require(try await house.accounts.role("forecastle-worker", account: "999999999999"))
            let session = try await house.assume(worker, as: house.users["forecastle-worker"]!, name: "job1")
            _ = try await house.kms(
                "CreateGrant",
                [
                    "KeyId": .string(key), "GranteePrincipal": "arn:aws:sts::999999999999:assumed-role/forecastle-worker/job1",
                    "Operations": ["GenerateDataKey"],
                ])
            let use: JSONObject = ["KeyId": .string(key), "NumberOfBytes": 32]
            #expect(try await house.kms("GenerateDataKey", use, as: session).status == 200)
            try await house.pool.execute(
                "UPDATE sessions SET created_at = created_at - interval '1 day', expires_at = now() - interval '1 second'")
            #expect(try await house.kms("GenerateDataKey", use, as: session).code == "ExpiredTokenException")
        }
    }
}
