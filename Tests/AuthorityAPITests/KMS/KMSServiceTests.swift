import AWSProtocol
import Accounts
import FoundationEssentials
import PostgresTesting
import Testing

@Suite(.enabled(if: TestDatabase.isAvailable)) struct KMSServiceTests {
    @Test func aKeyIsMadeDescribedAndListed() async throws {
        try await KMSHouse.with { house in
            let made = try await house.kms(
                "CreateKey", ["Description": "d", "Tags": [["TagKey": "k", "TagValue": "v"]]])
            let metadata = try #require(made.json["KeyMetadata"])
            #expect(
                metadata.objectValue?.keys == [
                    "AWSAccountId", "KeyId", "Arn", "CreationDate", "Enabled", "Description", "KeyUsage", "KeyState", "Origin",
                    "KeyManager", "CustomerMasterKeySpec", "KeySpec", "EncryptionAlgorithms", "MultiRegion",
                    "CurrentKeyMaterialId",
                ])
            #expect(metadata["CurrentKeyMaterialId"]?.stringValue?.utf8.count == 64)
            let keyID = try #require(metadata["KeyId"]?.stringValue)
            let described = try await house.kms("DescribeKey", ["KeyId": .string(keyID)])
            #expect(described.json["KeyMetadata"] == metadata)
            let listed = try await house.kms("ListKeys", ["Limit": 10])
            #expect(listed.json["Keys"]?.arrayValue?.first?["KeyId"]?.stringValue == keyID)
            #expect(listed.json["Truncated"] == false)
        }
    }

    @Test func plaintextTravelsInLockedMemoryAndComesBack() async throws {
        try await KMSHouse.with { house in
            let key = try await house.createKey()
            let made = try await house.kms(
                "GenerateDataKey", ["KeyId": .string(key), "KeySpec": "AES_256", "EncryptionContext": ["a": "b"]])
            #expect(made.isSecret && made["KeyId"] == key)
            #expect(Base64.decode(made["Plaintext"] ?? "")?.count == 32)
            let opened = try await house.kms(
                "Decrypt", ["CiphertextBlob": .string(made["CiphertextBlob"] ?? ""), "EncryptionContext": ["a": "b"]])
            #expect(
                opened.isSecret && opened["Plaintext"] == made["Plaintext"]
                    && opened["EncryptionAlgorithm"] == "SYMMETRIC_DEFAULT")
            let without = try await house.kms("GenerateDataKeyWithoutPlaintext", ["KeyId": .string(key), "NumberOfBytes": 1024])
            #expect(!without.isSecret && without["Plaintext"] == nil)
            let bytes = (0...255).map { UInt8($0) }
            let sealed = try await house.kms("Encrypt", ["KeyId": .string(key), "Plaintext": .string(Base64.encode(bytes))])
            let again = try await house.kms("Decrypt", ["CiphertextBlob": .string(sealed["CiphertextBlob"] ?? "")])
            #expect(Base64.decode(again["Plaintext"] ?? "") == bytes)
            let wrong = try await house.kms("Decrypt", ["CiphertextBlob": .string(made["CiphertextBlob"] ?? "")])
            #expect(wrong.code == "InvalidCiphertextException" && wrong.json == ["__type": "InvalidCiphertextException"])
        }
    }

    @Test func inputBeyondTheModelsBoundsIsRefused() async throws {
        try await KMSHouse.with { house in
            let key = JSONValue.string(try await house.createKey())
            let grantee = JSONValue.string("arn:aws:iam::\(KMSHouse.customer):user/admin")
            let grantID = JSONValue.string(String(repeating: "0", count: 64))
            let long = { (count: Int) in JSONValue.string(String(repeating: "a", count: count)) }
            let blob = { (count: Int) in JSONValue.string(Base64.encode([UInt8](repeating: 1, count: count))) }
            let rows: [(String, JSONObject, String)] = [
                ("DescribeKey", [:], "ValidationException"),
                ("DescribeKey", ["KeyId": long(2049)], "ValidationException"),
                ("DescribeKey", ["KeyId": 5], "SerializationException"),
                (
                    "DescribeKey", ["KeyId": key, "GrantTokens": .strings(Array(repeating: "x", count: 11))],
                    "ValidationException"
                ),
                ("Encrypt", ["KeyId": key, "Plaintext": blob(4096)], ""),
                ("Encrypt", ["KeyId": key, "Plaintext": blob(4097)], "ValidationException"),
                ("Encrypt", ["KeyId": key, "Plaintext": ""], "ValidationException"),
                ("Encrypt", ["KeyId": key, "Plaintext": "?"], "SerializationException"),
                ("Encrypt", ["KeyId": key, "Plaintext": blob(1), "EncryptionAlgorithm": "SM2PKE"], "InvalidKeyUsageException"),
                (
                    "Encrypt", ["KeyId": key, "Plaintext": blob(1), "EncryptionContext": ["k": long(65_536)]],
                    "ValidationException"
                ),
                ("Decrypt", ["CiphertextBlob": blob(6145)], "ValidationException"),
                ("Decrypt", ["CiphertextBlob": blob(6144)], "InvalidCiphertextException"),
                ("Decrypt", [:], "ValidationException"),
                (
                    "Decrypt", ["KeyId": key, "DryRun": true, "DryRunModifiers": ["IGNORE_CIPHERTEXT"]],
                    "DryRunOperationException"
                ),
                ("GenerateDataKey", ["KeyId": key], "ValidationException"),
                ("GenerateDataKey", ["KeyId": key, "KeySpec": "AES_256", "NumberOfBytes": 32], "ValidationException"),
                ("GenerateDataKey", ["KeyId": key, "NumberOfBytes": 1025], "ValidationException"),
                ("GenerateDataKey", ["KeyId": key, "KeySpec": "AES_512"], "ValidationException"),
                ("CreateKey", ["KeySpec": "RSA_2048", "KeyUsage": "SIGN_VERIFY"], "UnsupportedOperationException"),
                ("CreateKey", ["KeySpec": "AES"], "ValidationException"),
                ("CreateKey", ["Origin": "EXTERNAL"], "UnsupportedOperationException"),
                ("CreateKey", ["MultiRegion": true], "UnsupportedOperationException"),
                ("CreateKey", ["Description": long(8193)], "ValidationException"),
                ("CreateKey", ["Policy": long(32_769)], "LimitExceededException"),
                ("CreateKey", ["Policy": "{}"], "MalformedPolicyDocumentException"),
                ("ListKeys", ["Limit": 1001], "ValidationException"),
                ("ListKeys", ["Marker": "x"], "InvalidMarkerException"),
                ("GetKeyPolicy", ["KeyId": key, "PolicyName": "other"], "NotFoundException"),
                ("CreateAlias", ["AliasName": "data", "TargetKeyId": key], "InvalidAliasNameException"),
                ("CreateGrant", ["KeyId": key, "GranteePrincipal": grantee, "Operations": []], "ValidationException"),
                ("CreateGrant", ["KeyId": key, "GranteePrincipal": grantee, "Operations": ["decrypt"]], "ValidationException"),
                ("CreateGrant", ["KeyId": key, "GranteePrincipal": "a b", "Operations": ["Decrypt"]], "ValidationException"),
                ("CreateGrant", ["KeyId": key, "GranteePrincipal": "*", "Operations": ["Decrypt"]], "ValidationException"),
                (
                    "CreateGrant", ["KeyId": key, "GranteePrincipal": grantee, "Operations": ["Decrypt"], "Name": "a b"],
                    "ValidationException"
                ),
                ("RetireGrant", [:], "ValidationException"),
                ("RetireGrant", ["KeyId": "1234", "GrantId": grantID], "InvalidArnException"),
                ("RetireGrant", ["GrantToken": "x"], "InvalidGrantTokenException"),
                ("RetireGrant", ["KeyId": key, "GrantId": "1"], "InvalidGrantIdException"),
                ("RetireGrant", ["KeyId": key, "GrantId": grantID], "NotFoundException"),
                ("RevokeGrant", ["KeyId": key, "GrantId": "1"], "InvalidGrantIdException"),
                ("RevokeGrant", ["KeyId": key, "GrantId": grantID], "NotFoundException"),
                ("ListGrants", ["KeyId": key, "GrantId": "x"], "InvalidGrantIdException"),
                ("ScheduleKeyDeletion", ["KeyId": key, "PendingWindowInDays": 6], "ValidationException"),
                ("RotateKeyEveryDay", ["KeyId": key], "UnknownOperationException"),
                ("ReEncryptFrom", ["KeyId": key], "UnknownOperationException"),
            ]
            for (operation, body, code) in rows {
                let answer = try await house.kms(operation, body)
                #expect(answer.code == code, "\(operation) \(body.keys)")
            }
        }
    }

    @Test func voidOperationsAnswerWithoutBody() async throws {
        try await KMSHouse.with { house in
            let key = JSONValue.string(try await house.createKey())
            for operation in ["DisableKey", "EnableKey"] {
                let answer = try await house.kms(operation, ["KeyId": key])
                #expect(answer.status == 200 && answer.json == .null)
            }
            let policy = try await house.kms("GetKeyPolicy", ["KeyId": key])
            #expect(policy["PolicyName"] == "default")
            let put = try await house.kms("PutKeyPolicy", ["KeyId": key, "Policy": .string(policy["Policy"] ?? "")])
            #expect(put.status == 200 && put.json == .null)
            let alias = try await house.kms("CreateAlias", ["AliasName": "alias/a", "TargetKeyId": key])
            #expect(alias.status == 200)
            let aliases = try await house.kms("ListAliases", [:])
            #expect(aliases.json["Aliases"]?.arrayValue?.first?["AliasName"] == "alias/a" && aliases.json["Truncated"] == false)
            let scheduled = try await house.kms("ScheduleKeyDeletion", ["KeyId": key])
            #expect(scheduled["KeyState"] == "PendingDeletion" && scheduled.json["PendingWindowInDays"] == 30)
            let cancelled = try await house.kms("CancelKeyDeletion", ["KeyId": key])
            #expect(cancelled["KeyId"] == key.stringValue)
        }
    }

    @Test func aJobsGrantLivesAndLeavesTheDocumentedEvents() async throws {
        try await KMSHouse.with { house in
            let key = try await house.createKey()
            let role = try await house.accounts.createRole(
                "ForecastRole", account: KMSHouse.customer,
                trustPolicy:
                    #"{"Statement":{"Effect":"Allow","Principal":{"Service":"forecast.amazonaws.com"},"Action":"sts:AssumeRole"}}"#,
                by: .commandLine)
            try await house.accounts.putPolicy(
                "kms",
                document:
                    #"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":["kms:DescribeKey","kms:CreateGrant","kms:RetireGrant"],"Resource":"*","Condition":{"StringEquals":{"kms:ViaService":"forecast.us-west-2.amazonaws.com"}}}}"#,
                of: .role("ForecastRole"), account: KMSHouse.customer, by: .commandLine)
            let session = try await house.serviceSession(of: role, name: "forecast-job1")
            let workerRole = try #require(try await house.accounts.role("forecastle-worker", account: "999999999999"))
            let worker = try await house.assume(workerRole, as: house.users["forecastle-worker"]!, name: "job1")
            let context: JSONValue = ["forecastle:account": .string(KMSHouse.customer)]

            let described = try await house.kms("DescribeKey", ["KeyId": .string(key)], as: session)
            #expect(described.status == 200)
            let grant = try await house.kms(
                "CreateGrant",
                [
                    "KeyId": .string(key), "GranteePrincipal": "arn:aws:sts::999999999999:assumed-role/forecastle-worker/job1",
                    "RetiringPrincipal": "arn:aws:iam::999999999999:role/forecastle-sweeper",
                    "Operations": ["Decrypt", "GenerateDataKey"], "Constraints": ["EncryptionContextSubset": context],
                    "Name": "job/job1/a",
                ], as: session)
            let grantID = try #require(grant["GrantId"])
            let made = try await house.kms(
                "GenerateDataKey", ["KeyId": .string(key), "KeySpec": "AES_256", "EncryptionContext": context], as: worker)
            #expect(made.status == 200)
            let retired = try await house.kms("RetireGrant", ["KeyId": .string(key), "GrantId": .string(grantID)], as: session)
            #expect(retired.status == 200)
            let after = try await house.kms(
                "GenerateDataKey", ["KeyId": .string(key), "KeySpec": "AES_256", "EncryptionContext": context], as: worker)
            #expect(after.code == "AccessDeniedException")

            try await expectDocumentedEvents(house, key: key, role: role, grantID: grantID)
            let use = try #require(try await house.records("GenerateDataKey").first)
            #expect(use["userIdentity"] == ["type": "AWSService", "invokedBy": "forecast.amazonaws.com"])
            #expect(use["sourceIPAddress"] == "forecast.amazonaws.com" && use["userAgent"] == "forecast.amazonaws.com")
            #expect(use["requestParameters"] == ["keyId": .string(key), "keySpec": "AES_256", "encryptionContext": context])
            #expect(use["recipientAccountId"]?.stringValue == KMSHouse.customer)
        }
    }

    private func expectDocumentedEvents(_ house: KMSHouse, key: String, role: RoleEntity, grantID: String) async throws {
        let members = [
            "eventVersion", "userIdentity", "eventTime", "eventSource", "eventName", "awsRegion", "sourceIPAddress", "userAgent",
            "requestParameters", "responseElements", "requestID", "eventID", "readOnly", "resources", "eventType",
            "managementEvent", "recipientAccountId", "eventCategory",
        ]
        var withData = members
        withData.insert("additionalEventData", at: 10)
        for (name, keys) in [("DescribeKey", members), ("CreateGrant", members), ("RetireGrant", withData)] {
            let event = try #require(try await house.records(name).first)
            #expect(event.objectValue?.keys == keys, "\(name)")
            let identity = try #require(event["userIdentity"])
            #expect(
                identity.objectValue?.keys == ["type", "principalId", "arn", "accountId", "accessKeyId", "sessionContext"])
            #expect(identity["type"] == "AssumedRole")
            #expect(identity["principalId"]?.stringValue == "\(role.roleID):forecast-job1")
            #expect(identity["sessionContext"]?.objectValue?.keys == ["sessionIssuer", "webIdFederationData", "attributes"])
            #expect(identity["sessionContext"]?["attributes"]?["mfaAuthenticated"] == "false")
            // Not the worker's address: that of the request that made the job.
            #expect(event["sourceIPAddress"] == "203.0.113.50" && event["userAgent"] == "Boto3/1.43")
            #expect(event["eventVersion"] == "1.08" && event["eventSource"] == "kms.amazonaws.com")
            #expect(
                event["resources"] == [
                    ["accountId": .string(KMSHouse.customer), "type": "AWS::KMS::Key", "ARN": .string(key)]
                ])
        }
        let described = try await house.records("DescribeKey").first
        #expect(described?["requestParameters"] == ["keyId": .string(key)] && described?["responseElements"] == .null)
        let created = try await house.records("CreateGrant").first
        #expect(
            created?["requestParameters"] == [
                "operations": ["Decrypt", "GenerateDataKey"], "granteePrincipal": "AWS Internal", "keyId": .string(key),
                "retiringPrincipal": "AWS Internal",
                "constraints": ["encryptionContextSubset": ["forecastle:account": .string(KMSHouse.customer)]],
                "name": "job/job1/a",
            ])
        #expect(created?["responseElements"] == ["grantId": .string(grantID)])
        let retired = try await house.records("RetireGrant").first
        #expect(retired?["requestParameters"] == .null && retired?["responseElements"] == .null)
        #expect(retired?["additionalEventData"] == ["grantId": .string(grantID)])
    }

    @Test func listedGrantsHaveTheModelsMembersAndNoToken() async throws {
        try await KMSHouse.with { house in
            let key = try await house.createKey()
            let grantee = "arn:aws:iam::\(KMSHouse.customer):user/admin"
            _ = try await house.kms(
                "CreateGrant",
                [
                    "KeyId": .string(key), "GranteePrincipal": .string(grantee), "Operations": ["Decrypt"],
                    "RetiringPrincipal": .string(grantee), "Constraints": ["EncryptionContextEquals": ["a": "b"]],
                ])
            for (operation, body) in [
                ("ListGrants", ["KeyId": .string(key)]), ("ListRetirableGrants", ["RetiringPrincipal": .string(grantee)]),
            ]
                as [(String, JSONObject)]
            {
                let answer = try await house.kms(operation, body)
                let entry = try #require(answer.json["Grants"]?.arrayValue?.first)
                #expect(
                    entry.objectValue?.keys == [
                        "KeyId", "GrantId", "Name", "CreationDate", "GranteePrincipal", "RetiringPrincipal", "IssuingAccount",
                        "Operations", "Constraints",
                    ])
                #expect(entry["KeyId"]?.stringValue == key && entry["Constraints"] == ["EncryptionContextEquals": ["a": "b"]])
                #expect(entry["IssuingAccount"]?.stringValue == "arn:aws:iam::\(KMSHouse.customer):root")
                #expect(answer.json["Truncated"] == false)
            }
        }
    }

    @Test func refusalsLeaveARecordEachWithTheirCode() async throws {
        try await KMSHouse.with { house in
            let key = try await house.createKey()
            let nobody = try await house.user("nobody")
            _ = try await house.kms("Encrypt", ["KeyId": .string(key), "Plaintext": "YQ=="], as: nobody)
            _ = try await house.kms("Encrypt", ["KeyId": .string(key), "Plaintext": ""])
            _ = try await house.kms("Encrypt", ["KeyId": "0000", "Plaintext": "YQ=="])
            let records = try await house.records("Encrypt")
            #expect(records.map { $0["errorCode"]?.stringValue } == ["AccessDenied", "ValidationException", "NotFoundException"])
            #expect(records.allSatisfy { $0["requestParameters"]?["plaintext"] == nil })
        }
    }
}
