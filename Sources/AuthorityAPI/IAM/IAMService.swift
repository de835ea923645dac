package import AWSProtocol
package import Accounts
package import AuditTrail
import Policies
package import Postgres

/// IAM: the people, roles and policies of an account, for its own principals.
///
/// Every call is decided by the caller's own policies, in the transaction that carries it out. A change is recorded in that
/// transaction, a read before it is answered, a refusal likewise.
package struct IAMService: AuthorityService {
    package static let namespace = "https://iam.amazonaws.com/doc/2010-05-08/"

    package let route = AuthorityRoute.query(version: "2010-05-08", namespace: Self.namespace)
    package let signingName = "iam"

    private let accounts: AccountsStore
    private let pool: PostgresPool
    private let trail: AuditTrail
    private let identity: ServiceIdentity

    package init(accounts: AccountsStore, pool: PostgresPool, trail: AuditTrail, identity: ServiceIdentity) {
        self.accounts = accounts
        self.pool = pool
        self.trail = trail
        self.identity = identity
    }

    package func knows(operation: String) -> Bool { IAMOperation.all[operation] != nil }

    package func handle(operation name: String, request: AuthenticatedRequest) async throws(AWSError) -> AWSReply {
        guard let operation = IAMOperation.all[name] else {
            throw .unknownOperation("Could not find operation \(String(name.prefix(64))) for version 2010-05-08")
        }
        let record = IAMTrail.record(of: operation, request, identity: identity)
        do {
            try check(operation, request)
            let answer = try await carryOut(operation, request, record)
            if let refusal = answer.refusal { throw Recorded(error: refusal) }
            return .xml { result in answer.fields.forEach { $0.write(to: &result) } }
        } catch let error as Recorded {
            throw error.error
        } catch {
            throw await recorded(AWSError(iam: error), in: record)
        }
    }

    /// A refusal whose record is written already.
    private struct Recorded: Error {
        let error: AWSError
    }

    private func check(_ operation: IAMOperation, _ request: AuthenticatedRequest) throws(AWSError) {
        // As at AWS: a session that a user made without a second factor is none that IAM knows.
        if request.principal.userSession != nil, request.principal.mfaAt == nil { throw .unrecognizedClient }
        try request.parameters.refuseAllBut(Set(operation.parameters))
    }

    private func carryOut(
        _ operation: IAMOperation, _ request: AuthenticatedRequest, _ record: CloudTrailRecord
    ) async throws -> IAMAnswer {
        switch operation.effect {
        case .read:
            let answer = try await pool.withConnection { try await run(operation, request, on: $0) }
            try await trail.record(record)
            return answer
        case .change:
            return try await accounts.change { connection in
                let answer = try await run(operation, request, on: connection)
                return (answer, IAMTrail.completed(record, with: answer))
            }
        }
    }

    private func run(
        _ operation: IAMOperation, _ request: AuthenticatedRequest, on connection: PostgresConnection
    ) async throws -> IAMAnswer {
        try await operation.run(
            IAMCall(
                operation: operation.name, request: request, accounts: accounts, trail: trail, connection: connection,
                policies: try await accounts.policies(of: request.principal, on: connection)))
    }

    /// Records a refusal before it is answered; a fault on the way is answered instead. Faults of our own leave no record.
    private func recorded(_ error: AWSError, in record: CloudTrailRecord) async -> AWSError {
        guard error.status < 500 else { return error }
        do {
            try await trail.record(IAMTrail.refused(record, error))
            return error
        } catch {
            return AWSError(failure: error)
        }
    }
}

extension AWSError {
    /// IAM's codes and statuses.
    init(iam error: any Error) {
        guard let error = error as? AccountsError, let (code, status) = Self.iamCodes[error.code] else {
            self.init(failure: error)
            return
        }
        self.init(code: code, message: error.message, status: status)
    }

    private static let iamCodes: [AccountsError.Code: (String, Int)] = [
        .noSuchEntity: ("NoSuchEntity", 404),
        .entityAlreadyExists: ("EntityAlreadyExists", 409),
        .invalidInput: ("InvalidInput", 400),
        .malformedPolicy: ("MalformedPolicyDocument", 400),
        .limitExceeded: ("LimitExceeded", 409),
        .deleteConflict: ("DeleteConflict", 409),
        .invalidAuthenticationCode: ("InvalidAuthenticationCode", 403),
    ]
}
