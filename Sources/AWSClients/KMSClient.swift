package import AWSProtocol
package import Secrets

/// Calls of KMS, at the authority or at AWS.
package struct KMSClient: Sendable {
    package static let signingName = "kms"
    private static let targetPrefix = "TrentService"

    private let caller: AWSCaller

    package init(configuration: AWSClientConfiguration, transport: any AWSTransport) {
        self.init(
            caller: AWSCaller(configuration: configuration, transport: transport, signingName: Self.signingName))
    }

    package init(caller: AWSCaller) { self.caller = caller }

    package func describeKey(_ keyID: String, grantTokens: [String] = []) async throws(AWSError) -> KMSKeyDescription {
        let answer = try await call("DescribeKey", body(keyID: keyID, grantTokens: grantTokens))
        return try reading { () throws(AWSError) in try KMSKeyDescription(json: answer.requiredObject("KeyMetadata")) }
    }

    /// A data key: its plaintext in locked memory, and the blob from which KMS gives it back.
    package func generateDataKey(
        _ keyID: String, encryptionContext: [String: String], grantTokens: [String] = [], numberOfBytes: Int = 32
    ) async throws(AWSError) -> KMSDataKey {
        var body = body(keyID: keyID, encryptionContext: encryptionContext, grantTokens: grantTokens)
        body["NumberOfBytes"] = .int(Int64(numberOfBytes))
        let (secret, rest) = try await caller.json(
            target: target("GenerateDataKey"), body: body, secretMember: "Plaintext")
        return try reading { () throws(AWSError) in
            KMSDataKey(
                plaintext: secret, ciphertext: try rest.requiredBlob("CiphertextBlob"),
                keyARN: try rest.requiredString("KeyId"))
        }
    }

    /// Opens a blob under that key and no other: an answer that names another key's ARN is refused.
    package func decrypt(
        _ ciphertext: [UInt8], keyID: String, encryptionContext: [String: String], grantTokens: [String] = []
    ) async throws(AWSError) -> SharedSecret {
        let body = decryptBody(ciphertext, keyID: keyID, encryptionContext: encryptionContext, grantTokens: grantTokens)
        let (secret, rest) = try await caller.json(target: target("Decrypt"), body: body, secretMember: "Plaintext")
        do {
            try Self.checkKey(keyID, answered: rest["KeyId"]?.stringValue)
        } catch {
            secret.wipe()
            throw error
        }
        return secret
    }

    private static func checkKey(_ asked: String, answered: String?) throws(AWSError) {
        guard let arn = ARN(asked), arn.resourceType == "key", answered != arn.description else { return }
        throw AWSError(code: "IncorrectKeyException", message: "The answer names another key.")
    }

    /// Seals a data key that another key of KMS's made, for a second recipient of a message. For the ARN of a key, an answer
    /// that names another one is refused.
    package func encrypt(
        _ plaintext: SharedSecret, keyID: String, encryptionContext: [String: String], grantTokens: [String] = []
    ) async throws(AWSError) -> (ciphertext: [UInt8], keyARN: String) {
        let answer = try await caller.json(
            target: target("Encrypt"),
            body: body(keyID: keyID, encryptionContext: encryptionContext, grantTokens: grantTokens),
            secretMember: "Plaintext", secret: plaintext)
        let sealed = try reading { () throws(AWSError) in
            (ciphertext: try answer.requiredBlob("CiphertextBlob"), keyARN: try answer.requiredString("KeyId"))
        }
        try Self.checkKey(keyID, answered: sealed.keyARN)
        return sealed
    }

    /// Asks whether `decrypt` would be allowed now; throws the reason where not.
    package func decryptDryRun(
        _ ciphertext: [UInt8], keyID: String, encryptionContext: [String: String], grantTokens: [String] = []
    ) async throws(AWSError) {
        var body = decryptBody(ciphertext, keyID: keyID, encryptionContext: encryptionContext, grantTokens: grantTokens)
        body["DryRun"] = true
        let request = body
        try await dryRun { () async throws(AWSError) in
            // A server that knows no dry runs has opened the data key: it must get no further than locked memory.
            let (secret, rest) = try await caller.json(target: target("Decrypt"), body: request, secretMember: "Plaintext")
            secret.wipe()
            try Self.checkKey(keyID, answered: rest["KeyId"]?.stringValue)
        }
    }

    package func createGrant(_ request: CreateGrantRequest) async throws(AWSError) -> CreatedGrant {
        let answer = try await call("CreateGrant", request.json)
        return try reading { () throws(AWSError) in
            CreatedGrant(
                grantID: try answer.requiredString("GrantId"), grantToken: try answer.requiredString("GrantToken"))
        }
    }

    /// Asks whether `createGrant` would be allowed now; throws the reason where not. On a server that knows no dry runs the
    /// grant was made: then it is retired at once.
    package func createGrantDryRun(_ request: CreateGrantRequest) async throws(AWSError) {
        var body = request.json
        body["DryRun"] = true
        let asked = body
        try await dryRun { () async throws(AWSError) in
            let answer = try await call("CreateGrant", asked)
            let grant = try reading { () throws(AWSError) in try answer.requiredString("GrantId") }
            try await retireGrant(keyID: request.keyID, grantID: grant)
        }
    }

    /// `keyID` must be the key's ARN.
    package func retireGrant(keyID: String, grantID: String) async throws(AWSError) {
        _ = try await call("RetireGrant", ["KeyId": .string(keyID), "GrantId": .string(grantID)])
    }

    /// Retires by one of the grant's tokens, which AWS knows before its servers agree that the grant exists.
    package func retireGrant(token: String) async throws(AWSError) {
        _ = try await call("RetireGrant", ["GrantToken": .string(token)])
    }

    package func revokeGrant(keyID: String, grantID: String) async throws(AWSError) {
        _ = try await call("RevokeGrant", ["KeyId": .string(keyID), "GrantId": .string(grantID)])
    }

    package func listGrants(
        keyID: String, granteePrincipal: String? = nil, grantID: String? = nil, limit: Int? = nil, marker: String? = nil
    ) async throws(AWSError) -> KMSGrantPage {
        var body: JSONObject = ["KeyId": .string(keyID)]
        body.append("GranteePrincipal", ifPresent: granteePrincipal.map { .string($0) })
        body.append("GrantId", ifPresent: grantID.map { .string($0) })
        return try await grantPage("ListGrants", body, limit: limit, marker: marker)
    }

    package func listRetirableGrants(
        retiringPrincipal: String, limit: Int? = nil, marker: String? = nil
    ) async throws(AWSError) -> KMSGrantPage {
        try await grantPage(
            "ListRetirableGrants", ["RetiringPrincipal": .string(retiringPrincipal)], limit: limit, marker: marker)
    }

    private func grantPage(
        _ operation: String, _ body: JSONObject, limit: Int?, marker: String?
    ) async throws(AWSError) -> KMSGrantPage {
        var body = body
        body.append("Limit", ifPresent: limit.map { .int(Int64($0)) })
        body.append("Marker", ifPresent: marker.map { .string($0) })
        let answer = try await call(operation, body)
        return try reading { () throws(AWSError) in try KMSGrantPage(json: answer) }
    }

    private func call(_ operation: String, _ body: JSONObject) async throws(AWSError) -> JSONObject {
        try await caller.json(target: target(operation), body: body)
    }

    /// A dry run that would succeed is answered with an error of its own.
    private func dryRun(_ body: () async throws(AWSError) -> Void) async throws(AWSError) {
        do {
            try await body()
        } catch {
            guard error.code == "DryRunOperationException" else { throw error }
        }
    }

    private func target(_ operation: String) -> String { "\(Self.targetPrefix).\(operation)" }

    private func body(
        keyID: String, encryptionContext: [String: String] = [:], grantTokens: [String]
    ) -> JSONObject {
        var body: JSONObject = ["KeyId": .string(keyID)]
        if !encryptionContext.isEmpty { body["EncryptionContext"] = .stringMap(encryptionContext) }
        if !grantTokens.isEmpty { body["GrantTokens"] = .strings(grantTokens) }
        return body
    }

    private func decryptBody(
        _ ciphertext: [UInt8], keyID: String, encryptionContext: [String: String], grantTokens: [String]
    ) -> JSONObject {
        var body = body(keyID: keyID, encryptionContext: encryptionContext, grantTokens: grantTokens)
        body["CiphertextBlob"] = .string(Base64.encode(ciphertext))
        return body
    }

    /// A member missing in an answer is the endpoint's fault, not the caller's.
    private func reading<R>(_ body: () throws(AWSError) -> R) throws(AWSError) -> R {
        do {
            return try body()
        } catch {
            throw .malformedAnswer(cause: error)
        }
    }
}
