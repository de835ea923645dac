import AWSClients
import AWSProtocol
import AWSServer
import Secrets
import Testing

@Suite struct KMSClientTests {
    private func key(_ count: Int = 32) -> SecretBytes { SecretBytes(count: count) { $0.copyBytes(from: (0..<UInt8(count))) } }

    @Test func aDataKeyComesInLockedMemory() async throws {
        let handler: @Sendable (AWSRequest) async throws -> AWSResponse = { request in
            let body = try JSONObject.parseBody(request.body)
            #expect(request.target?.operation == "GenerateDataKey")
            #expect(
                body.serializedString
                    == #"{"KeyId":"\#(Samples.keyARN)","EncryptionContext":{"a":"1","b":"2"},"GrantTokens":["t"],"NumberOfBytes":32}"#
            )
            let secret = SecretBytes(count: 32) { $0.copyBytes(from: 0..<32) }
            return .secretJSON(
                JSONObject([("CiphertextBlob", "AAEC"), ("KeyId", .string(Samples.keyARN))])
                    .serialized(secretMember: "Plaintext", secret))
        }
        try await withService("kms", handler) { configuration in
            let client = KMSClient(configuration: configuration, transport: HTTPTransport())
            let dataKey = try await client.generateDataKey(
                Samples.keyARN, encryptionContext: ["b": "2", "a": "1"], grantTokens: ["t"])
            #expect(try dataKey.plaintext.withUnsafeBytes { Array($0) } == Array(0..<32))
            #expect(dataKey.ciphertext == [0, 1, 2] && dataKey.keyARN == Samples.keyARN)
        }
    }

    @Test func aKeyIsOpenedUnderTheKeyAskedForOnly() async throws {
        let handler: @Sendable (AWSRequest) async throws -> AWSResponse = { request in
            let body = try JSONObject.parseBody(request.body)
            #expect(try body.requiredBlob("CiphertextBlob") == [9, 9])
            let secret = SecretBytes(count: 3) { $0.copyBytes(from: [1, 2, 3]) }
            return .secretJSON(JSONObject([("KeyId", .string(Samples.keyARN))]).serialized(secretMember: "Plaintext", secret))
        }
        try await withService("kms", handler) { configuration in
            let client = KMSClient(configuration: configuration, transport: HTTPTransport())
            let opened = try await client.decrypt([9, 9], keyID: Samples.keyARN, encryptionContext: [:])
            #expect(try opened.withUnsafeBytes { Array($0) } == [1, 2, 3])
            let error = await #expect(throws: AWSError.self) {
                try await client.decrypt([9, 9], keyID: Samples.keyARN + "f", encryptionContext: [:])
            }
            #expect(error?.code == "IncorrectKeyException")
        }
    }

    @Test func aDataKeyIsEncryptedUnderTheKeyAskedForOnly() async throws {
        let handler: @Sendable (AWSRequest) async throws -> AWSResponse = { request in
            #expect(request.target?.operation == "Encrypt")
            let body = try #require(request.secretBody)
            #expect(
                try body.withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
                    == #"{"Plaintext":"AAECAw==","KeyId":"\#(Samples.keyARN)","EncryptionContext":{"a":"1"}}"#)
            return .json(JSONObject([("CiphertextBlob", "AAEC"), ("KeyId", .string(Samples.keyARN))]))
        }
        try await withService("kms", handler) { configuration in
            let client = KMSClient(configuration: configuration, transport: HTTPTransport())
            let dataKey = SharedSecret(SecretBytes(count: 4) { $0.copyBytes(from: [0, 1, 2, 3]) })
            let sealed = try await client.encrypt(dataKey, keyID: Samples.keyARN, encryptionContext: ["a": "1"])
            #expect(sealed.ciphertext == [0, 1, 2] && sealed.keyARN == Samples.keyARN)
            #expect(!dataKey.isWiped)
        }
        let answer = #"{"CiphertextBlob":"AAEC","KeyId":"\#(Samples.keyARN)f"}"#
        let client = KMSClient(caller: TestSurroundings().caller(ScriptedTransport([.answer(200, answer)])))
        let error = await #expect(throws: AWSError.self) {
            try await client.encrypt(
                SharedSecret(SecretBytes.random(count: 32)), keyID: Samples.keyARN, encryptionContext: [:])
        }
        #expect(error?.code == "IncorrectKeyException")
    }

    @Test func aWipedDataKeyIsNotSent() async throws {
        let transport = ScriptedTransport([])
        let client = KMSClient(caller: TestSurroundings().caller(transport))
        let dataKey = SharedSecret(SecretBytes.random(count: 32))
        dataKey.wipe()
        await #expect(throws: AWSError.self) {
            try await client.encrypt(dataKey, keyID: Samples.keyARN, encryptionContext: [:])
        }
        #expect(transport.calls.isEmpty)
    }

    @Test func anErrorOfADecryptHasTheServicesCode() async throws {
        try await withService("kms", { _ in throw AWSError(code: "InvalidCiphertextException", message: "") }) {
            let client = KMSClient(configuration: $0, transport: HTTPTransport())
            let error = await #expect(throws: AWSError.self) {
                try await client.decrypt([1], keyID: Samples.keyARN, encryptionContext: [:])
            }
            #expect(error?.code == "InvalidCiphertextException" && error?.status == 400)
        }
    }

    @Test func aDryRunSucceedsByItsOwnError() async throws {
        let transport = ScriptedTransport([
            .answer(412, #"{"__type":"DryRunOperationException","message":"would have succeeded"}"#),
            .answer(400, #"{"__type":"com.amazonaws.kms#AccessDeniedException:x","Message":"no"}"#), .answer(200, "{}"),
        ])
        let client = KMSClient(caller: TestSurroundings().caller(transport))
        try await client.decryptDryRun([1], keyID: "k", encryptionContext: [:])
        let denied = await #expect(throws: AWSError.self) {
            try await client.decryptDryRun([1], keyID: "k", encryptionContext: [:])
        }
        #expect(denied?.code == "AccessDeniedException" && denied?.message == "no")
        await #expect(throws: AWSError.self) { try await client.decryptDryRun([1], keyID: "k", encryptionContext: [:]) }
        #expect(try JSONObject.parseBody(transport.calls[0].request.body)["DryRun"] == true)
    }

    @Test func aServerWithoutDryRunsLeavesNeitherADataKeyNorAGrant() async throws {
        let opened = #"{"KeyId":"\#(Samples.keyARN)","Plaintext":"AAECAw=="}"#
        let transport = ScriptedTransport([
            .answer(200, opened), .answer(200, opened), .answer(200, #"{"GrantId":"g","GrantToken":"t"}"#), .answer(200, "{}"),
        ])
        let client = KMSClient(caller: TestSurroundings().caller(transport))
        try await client.decryptDryRun([1], keyID: Samples.keyARN, encryptionContext: [:])
        let error = await #expect(throws: AWSError.self) {
            try await client.decryptDryRun([1], keyID: Samples.keyARN + "0", encryptionContext: [:])
        }
        #expect(error?.code == "IncorrectKeyException")
        // Never in ordinary memory.
        #expect(transport.calls.allSatisfy { $0.expectsSecret })
        try await client.createGrantDryRun(
            CreateGrantRequest(keyID: Samples.keyARN, granteePrincipal: "p", operations: ["Decrypt"]))
        #expect(
            String(decoding: transport.calls[3].request.body, as: UTF8.self)
                == #"{"KeyId":"\#(Samples.keyARN)","GrantId":"g"}"#)
    }

    @Test func aRefusalInXMLIsUnderstood() async throws {
        let refusal =
            "<ErrorResponse><Errors><Error><Code>AccessDenied</Code><Message>no</Message></Error></Errors></ErrorResponse>"
        let page = "<html><body>busy</body></html>"
        let transport = ScriptedTransport([
            .answer(403, refusal), .answer(403, refusal), .answer(403, page), .answer(403, page),
        ])
        let client = KMSClient(caller: TestSurroundings().caller(transport))
        for code in ["AccessDenied", "UnknownError"] {
            let plain = await #expect(throws: AWSError.self) { try await client.describeKey("k") }
            let secret = await #expect(throws: AWSError.self) {
                try await client.generateDataKey("k", encryptionContext: [:])
            }
            #expect(plain?.code == code && secret?.code == code && secret?.status == 403)
        }
    }

    @Test func grantsAreMadeAndListed() async throws {
        let transport = ScriptedTransport([
            .answer(200, #"{"GrantId":"g","GrantToken":"t"}"#),
            .answer(
                200,
                #"{"Grants":[{"KeyId":"k","GrantId":"g","Name":"job/1/a","GranteePrincipal":"p","IssuingAccount":"i","#
                    + #""Operations":["Decrypt"],"Constraints":{"EncryptionContextSubset":{"a":"b"}},"CreationDate":1564533087.907},"#
                    + #"{"KeyId":"k","GrantId":"h","Name":""}],"NextMarker":"m","Truncated":true}"#),
            .answer(200, #"{"Grants":[],"Truncated":false}"#), .answer(200, ""), .answer(200, "{}"),
        ])
        let client = KMSClient(caller: TestSurroundings().caller(transport))
        let grant = try await client.createGrant(
            CreateGrantRequest(
                keyID: "k", granteePrincipal: "p", retiringPrincipal: "r", operations: ["Decrypt"], contextSubset: ["a": "b"],
                name: "job/1/a"))
        #expect(grant == CreatedGrant(grantID: "g", grantToken: "t"))
        let page = try await client.listRetirableGrants(retiringPrincipal: "r", limit: 2)
        #expect(page.grants.map(\.name) == ["job/1/a", nil] && page.nextMarker == "m")
        #expect(page.grants[0].contextSubset == ["a": "b"])
        let last = try await client.listRetirableGrants(retiringPrincipal: "r", limit: 2, marker: "m")
        #expect(last.grants.isEmpty && last.nextMarker == nil)
        try await client.retireGrant(keyID: "k", grantID: "g")
        try await client.revokeGrant(keyID: "k", grantID: "g")
        #expect(
            String(decoding: transport.calls[0].request.body, as: UTF8.self)
                == #"{"KeyId":"k","GranteePrincipal":"p","Operations":["Decrypt"],"RetiringPrincipal":"r","#
                + #""Constraints":{"EncryptionContextSubset":{"a":"b"}},"Name":"job/1/a"}"#)
        #expect(
            transport.calls.map { $0.request.target?.operation } == [
                "CreateGrant", "ListRetirableGrants", "ListRetirableGrants", "RetireGrant", "RevokeGrant",
            ])
    }

    @Test(arguments: [
        "", "{}", "[]", "not JSON", #"{"Plaintext":"YQ=="}"#, #"{"CiphertextBlob":"AA==","KeyId":"k"}"#,
        #"{"Plaintext":"Y","CiphertextBlob":"AA==","KeyId":"k"}"#, #"{"Plaintext":"YQ==","CiphertextBlob":"*","KeyId":"k"}"#,
    ])
    func anAnswerThatCannotBeReadIsNeitherUsedNorRepeated(text: String) async throws {
        let client = KMSClient(caller: TestSurroundings().caller(ScriptedTransport([.answer(200, text)])))
        let error = await #expect(throws: AWSError.self) { try await client.generateDataKey("k", encryptionContext: [:]) }
        #expect(error?.code == "MalformedAnswer")
    }

    @Test func aKeyIsDescribed() async throws {
        let transport = ScriptedTransport([
            .answer(
                200,
                #"{"KeyMetadata":{"KeyId":"1","Arn":"\#(Samples.keyARN)","KeyState":"Disabled","KeySpec":"SYMMETRIC_DEFAULT","#
                    + #""KeyUsage":"ENCRYPT_DECRYPT","New":{"x":1}}}"#)
        ])
        let key = try await KMSClient(caller: TestSurroundings().caller(transport)).describeKey("alias/x")
        #expect(key.arn == Samples.keyARN && key.account == "123456789012" && !key.isEnabled && key.isSymmetric)
    }
}
