package import AWSProtocol
import Accounts
import AuditTrail
package import Keys

/// KMS over JSON 1.1: reads requests within the bounds of the model, has `KeyService` decide and act, and writes its answers.
///
/// Source: KMS API reference. What an operation means is said in `Keys`; here is only its shape on the wire.
package struct KMSService: AuthorityService {
    package let route = AuthorityRoute.json(targetPrefix: "TrentService")
    package let signingName = "kms"
    package let secretMembers = [KeyOperation.encrypt.rawValue: "Plaintext"]
    let keys: KeyService

    package init(keys: KeyService) {
        self.keys = keys
    }

    package func knows(operation: String) -> Bool {
        KeyOperation(rawValue: operation)?.isCallable ?? (UnsupportedKeyOperation(rawValue: operation) != nil)
    }

    package func handle(operation name: String, request: AuthenticatedRequest) async throws(AWSError) -> AWSReply {
        guard let operation = KeyOperation(rawValue: name), operation.isCallable else {
            guard let unsupported = UnsupportedKeyOperation(rawValue: name) else {
                throw .unknownOperation("The operation is not known to this authority.")
            }
            let record = KMSTrail.record(of: unsupported, request, identity: keys.identity)
            throw Self.wireError(await keys.refuse(record, unsupported.refusal))
        }
        let call = KeyCall(
            caller: KeyCaller(principal: request.principal, circumstances: request.circumstances), operation: operation,
            record: KMSTrail.record(of: operation, request, identity: keys.identity))
        do {
            return try await answer(call, KMSInput(request.body, secret: request.secret))
        } catch let error as KeyError {
            // One that was found while the request was read; the others have their record.
            guard error.code != .internal, !call.isRefused else { throw Self.wireError(error) }
            throw Self.wireError(await keys.refuse(call, error))
        } catch let error as AWSError {
            // The service has not seen this one; the trail shall.
            if error.code == "ValidationException" {
                let recorded = await keys.refuse(call, KeyError(.validation, error.message))
                if recorded.code == .internal { throw Self.wireError(recorded) }
            }
            throw error
        } catch {
            throw .internalFailure(cause: error)
        }
    }

    private func answer(_ call: KeyCall, _ input: KMSInput) async throws -> AWSReply {
        switch call.operation {
        case .createKey, .describeKey, .listKeys, .enableKey, .disableKey, .scheduleKeyDeletion, .cancelKeyDeletion,
            .updateKeyDescription:
            try await answerKeys(call, input)
        case .getKeyPolicy, .putKeyPolicy, .listKeyPolicies, .createAlias, .updateAlias, .deleteAlias, .listAliases:
            try await answerPoliciesAndAliases(call, input)
        case .enableKeyRotation, .disableKeyRotation, .getKeyRotationStatus, .rotateKeyOnDemand, .listKeyRotations:
            try await answerRotation(call, input)
        case .tagResource, .untagResource, .listResourceTags:
            try await answerTags(call, input)
        case .encrypt, .decrypt, .generateDataKey, .generateDataKeyWithoutPlaintext, .reEncrypt, .reEncryptFrom, .reEncryptTo,
            .generateRandom:
            try await answerUse(call, input)
        case .createGrant, .listGrants, .listRetirableGrants, .retireGrant, .revokeGrant:
            try await answerGrants(call, input)
        }
    }

    static func wireError(_ error: KeyError) -> AWSError {
        AWSError(code: error.code.wireName, message: error.message, status: error.code.httpStatus, cause: error.cause)
    }
}
