package import AWSProtocol
import Accounts
import AuditTrail
import Policies
import Postgres

/// How RetireGrant names its grant.
package enum GrantReference: Sendable {
    case token(String)
    /// The key must be given as ARN.
    case grant(id: String, key: ARN)
}

extension KeyService {
    /// Ends a grant that is no longer needed; `RetirementRights` says who may.
    ///
    /// A grant that is gone is NotFound, whether it ever was there or not: who retires again after a lost answer learns that it
    /// is done.
    package func retireGrant(_ call: KeyCall, _ reference: GrantReference, isDryRun: Bool) async throws(KeyError) {
        let (key, grantID) = try await change(call) { connection in
            let (grantID, keyARN) = try await self.resolve(reference, on: connection)
            call.note { $0.additionalEventData = ["grantId": .string(grantID)] }
            guard
                let key = try await KeyRows.find(.keyARN(keyARN), account: "", region: self.region, on: connection),
                let grant = try await GrantRows.find(grantID, keyID: key.keyID, on: connection)
            else { throw KeyError.grantNotFound(grantID) }
            call.concerns(key.arn)
            let rights = try await self.rights(of: call.caller, on: key, connection)
            guard rights.mayRetire(grant) else {
                throw KeyError(
                    .accessDenied,
                    "User: \(call.caller.subject.name) is not authorized to perform: kms:RetireGrant on resource: \(key.arn)")
            }
            if isDryRun { throw KeyError.dryRun }
            guard try await GrantRows.delete(grantID, keyID: key.keyID, on: connection) else {
                throw KeyError.grantNotFound(grantID)
            }
            return (key.arn, grantID)
        }
        await announce(KeyEvent(kind: .grantRetired, key: key, grantID: grantID))
    }

    /// Withdraws a grant at once; a policy must allow kms:RevokeGrant, no grant can.
    package func revokeGrant(
        _ call: KeyCall, key reference: KeyReference, grantID: String, isDryRun: Bool
    ) async throws(KeyError) {
        let key = try await change(call) { connection in
            let key = try await self.decide(call, reference, on: connection).key
            guard try await GrantRows.find(grantID, keyID: key.keyID, on: connection) != nil else {
                throw KeyError.grantNotFound(grantID)
            }
            if isDryRun { throw KeyError.dryRun }
            guard try await GrantRows.delete(grantID, keyID: key.keyID, on: connection) else {
                throw KeyError.grantNotFound(grantID)
            }
            return key.arn
        }
        await announce(KeyEvent(kind: .grantRevoked, key: key, grantID: grantID))
    }

    private func resolve(_ reference: GrantReference, on connection: PostgresConnection) async throws -> (String, ARN) {
        switch reference {
        case .grant(let id, let key):
            return (id, key)
        case .token(let token):
            let id = try tokens.grantID(of: token)
            let rows = try await connection.query(
                "SELECT k.arn FROM key_grants g JOIN keys k USING (key_id) WHERE g.grant_id = \(id)")
            guard let text: String = try rows.first?.get("arn"), let arn = ARN(text) else { throw KeyError.grantNotFound(id) }
            return (id, arn)
        }
    }

    private func rights(of caller: KeyCaller, on key: KeyRow, _ connection: PostgresConnection) async throws -> RetirementRights {
        let policies = try await accounts.policies(of: caller.principal, on: connection)
        var context = caller.context
        context.merge(Self.keyConditions)
        for tag in key.tags { context.set("aws:ResourceTag/\(tag.key)", tag.value) }
        let request = AuthorizationRequest(
            subject: caller.subject, action: KeyOperation.retireGrant.action, resource: key.arn.description, context: context)
        return RetirementRights(
            caller: caller, service: serviceName(of: caller),
            policy: .init(request, keyPolicy: try document(key.policy), policies: policies))
    }
}
