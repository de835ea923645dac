import AWSClients
import AWSProtocol
import Foundation
import Secrets
import Synchronization

/// KMS and STS in memory behind the clients' transport: grants by name, and data keys that only a grant with the right key,
/// context and operation reaches.
final class TrainAuthority: AWSTransport {
    private struct Grant {
        var id: String
        var keyARN: String
        var operations: [String]
        var context: [String: String]
    }

    private struct State {
        var grants: [String: Grant] = [:]
        var everMade = 0
        var revokedKey: String?
        var ungrantableKey: String?
        var deniedObjects: (action: String, within: String)?
        var dataKeys: [String: (material: [UInt8], keyARN: String, context: [String: String])] = [:]
    }

    private let state = Mutex(State())

    /// Names of the grants that exist.
    var grants: [String] { state.withLock { $0.grants.keys.sorted() } }
    var grantsEverMade: Int { state.withLock { $0.everMade } }
    /// Ends every grant on a key, as RevokeGrant would, right after the next data key under it was given out.
    func revokeWithNextDataKey(of keyARN: String) { state.withLock { $0.revokedKey = keyARN } }
    /// From now on no grant can be made on a key.
    func refuseGrants(on keyARN: String) { state.withLock { $0.ungrantableKey = keyARN } }
    /// From now on the role may not do this to objects whose keys hold the text.
    func deny(_ action: String, within text: String) { state.withLock { $0.deniedObjects = (action, text) } }
    /// Ends every grant on a key now. New ones can be made.
    func revoke(_ keyARN: String) { state.withLock { state in state.grants = state.grants.filter { $1.keyARN != keyARN } } }

    func send(_ call: AWSTransportCall) async throws -> AWSTransportAnswer {
        guard let target = call.request.headers.first(where: { $0.0.lowercased() == "x-amz-target" })?.1 else {
            return AWSTransportAnswer(status: 200, body: .bytes(Array(Self.assumedRole.utf8)))
        }
        let body = try JSONObject.parseBody(call.request.body)
        let operation = String(target.split(separator: ".").last ?? "")
        let (status, answer) = try state.withLock { try Self.answer(operation, body, &$0) }
        let bytes = answer.serialized()
        guard call.expectsSecret else { return AWSTransportAnswer(status: status, body: .bytes(bytes)) }
        let secret = SharedSecret(SecretBytes(count: bytes.count) { $0.copyBytes(from: bytes) })
        return AWSTransportAnswer(status: status, body: .secret(secret))
    }

    private static func answer(
        _ operation: String, _ body: JSONObject, _ state: inout State
    ) throws -> (Int, JSONObject) {
        if operation == "ListRetirableGrants" {
            let grants = state.grants.map { name, grant -> JSONValue in
                ["GrantId": .string(grant.id), "KeyId": .string(grant.keyARN), "Name": .string(name)]
            }
            return (200, ["Grants": .array(grants), "Truncated": false])
        }
        if operation == BucketAccessRequest.operation {
            let denials = try BucketAccessRequest(json: body).decisions.map { decision -> String? in
                guard let denied = state.deniedObjects, decision.action.rawValue == denied.action,
                    decision.key.contains(denied.within)
                else { return nil }
                return "The pretended authority denies \(denied.action) on \(decision.key)."
            }
            return (200, BucketAccessResponse(denials: denials).json)
        }
        let keyARN = try body.requiredString("KeyId")
        let context = try body.optionalStringMap("EncryptionContext") ?? [:]
        switch operation {
        case "CreateGrant":
            guard state.ungrantableKey != keyARN else { return refusal("AccessDeniedException") }
            let name = try body.requiredString("Name")
            let constraint = try body.requiredObject("Constraints").optionalStringMap("EncryptionContextSubset") ?? [:]
            if state.grants[name] == nil {
                state.everMade += 1
                state.grants[name] = Grant(
                    id: "grant-\(state.everMade)", keyARN: keyARN, operations: try body.requiredStrings("Operations"),
                    context: constraint)
            }
            return (200, ["GrantId": .string(state.grants[name]?.id ?? ""), "GrantToken": "token"])
        case "RetireGrant":
            let id = try body.requiredString("GrantId")
            guard state.grants.values.contains(where: { $0.id == id }) else { return refusal("NotFoundException") }
            state.grants = state.grants.filter { $1.id != id }
            return (200, [:])
        case "GenerateDataKey":
            guard isAllowed(operation, keyARN, context, state) else { return refusal("AccessDeniedException") }
            let handle = UUID().uuidString
            let material = (0..<32).map { _ in UInt8.random(in: 0...255) }
            state.dataKeys[handle] = (material, keyARN, context)
            if state.revokedKey == keyARN { state.grants = state.grants.filter { $1.keyARN != keyARN } }
            return (
                200,
                [
                    "CiphertextBlob": .string(Base64.encode(Array(handle.utf8))), "KeyId": .string(keyARN),
                    "Plaintext": .string(Base64.encode(material)),
                ]
            )
        case "Decrypt":
            let handle = String(decoding: try body.requiredBlob("CiphertextBlob"), as: UTF8.self)
            guard let key = state.dataKeys[handle], key.keyARN == keyARN, key.context == context else {
                return refusal("InvalidCiphertextException")
            }
            guard isAllowed(operation, keyARN, context, state) else { return refusal("AccessDeniedException") }
            if try body.optionalBool("DryRun") == true { return refusal("DryRunOperationException") }
            return (200, ["KeyId": .string(keyARN), "Plaintext": .string(Base64.encode(key.material))])
        default:
            return refusal("UnsupportedOperationException")
        }
    }

    private static func isAllowed(_ operation: String, _ keyARN: String, _ context: [String: String], _ state: State) -> Bool {
        state.grants.values.contains { grant in
            grant.keyARN == keyARN && grant.operations.contains(operation)
                && grant.context.allSatisfy { context[$0.key] == $0.value }
        }
    }

    private static func refusal(_ code: String) -> (Int, JSONObject) {
        (400, ["__type": .string(code), "message": "The pretended KMS refuses."])
    }

    private static let assumedRole = """
        <AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><AssumedRoleUser>\
        <AssumedRoleId>AROA:s</AssumedRoleId><Arn>arn:aws:sts::123456789012:assumed-role/r/s</Arn></AssumedRoleUser>\
        <Credentials><AccessKeyId>ASIAEXAMPLE</AccessKeyId><SecretAccessKey>secret</SecretAccessKey>\
        <SessionToken>token</SessionToken><Expiration>2999-01-01T00:00:00Z</Expiration></Credentials>\
        </AssumeRoleResult></AssumeRoleResponse>
        """
}
