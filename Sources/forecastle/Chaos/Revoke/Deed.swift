import AWSProtocol
import Foundation
import Postgres

/// One withdrawal: what is done, and how it is put right again.
struct Deed: Sendable {
    let kind: WithdrawalKind
    let subject: RevocationSubject
    let site: RevocationSite

    /// When it was asked for and when the reply was there: nanoseconds of the monotonic clock.
    struct Moment: Sendable {
        let asked: UInt64
        let replied: UInt64
        /// Of the databases' clock, read behind the reply.
        let repliedAt: Date
        /// The one job that it concerns; nil: all of the key.
        let resource: String?
    }

    /// Nil where there is nothing to be withdrawn at the moment.
    func happen() async throws -> Moment? {
        switch kind {
        case .revokeGrant:
            guard let grant = try await activeGrant() else { return nil }
            return try await timed(grant.resource) {
                try await kms("RevokeGrant", ["KeyId": .string(subject.key), "GrantId": .string(grant.id)])
            }
        case .disableKey: return try await timed { try await kms("DisableKey", ["KeyId": .string(subject.key)]) }
        case .scheduleKeyDeletion:
            return try await timed {
                try await kms("ScheduleKeyDeletion", ["KeyId": .string(subject.key), "PendingWindowInDays": 7])
            }
        case .denyInKeyPolicy: return try await timed { try await putKeyPolicy(denying: true) }
        case .removeTrust:
            return try await timed { try await iam("UpdateAssumeRolePolicy", ["PolicyDocument": nobodysTrust]) }
        case .deleteRole:
            _ = try await iam("DeleteRolePolicy", ["PolicyName": "bucket"])
            return try await timed { try await iam("DeleteRole") }
        case .deleteAccessKey, .endSession: preconditionFailure("A caller's rights are withdrawn by CallerWithdrawal.")
        }
    }

    func heal() async throws {
        let key: JSONObject = ["KeyId": .string(subject.key)]
        switch kind {
        case .disableKey: try await kms("EnableKey", key)
        case .scheduleKeyDeletion:
            try await kms("CancelKeyDeletion", key)
            try await kms("EnableKey", key)
        case .denyInKeyPolicy: try await putKeyPolicy(denying: false)
        case .removeTrust:
            _ = try await iam("UpdateAssumeRolePolicy", ["PolicyDocument": subject.trustPolicy.serializedString])
        case .deleteRole:
            try await subject.makeRole()
            // The policy named the role that is gone.
            try await putKeyPolicy(denying: false)
        case .revokeGrant, .deleteAccessKey, .endSession: break
        }
    }

    private func timed(_ resource: String? = nil, _ act: () async throws -> Void) async throws -> Moment {
        let asked = DispatchTime.now().uptimeNanoseconds
        try await act()
        let replied = DispatchTime.now().uptimeNanoseconds
        let row = try await site.authority.query("SELECT clock_timestamp() AS now").first
        guard let row else { throw ChaosFailure(description: "the database has no time") }
        return Moment(asked: asked, replied: replied, repliedAt: try row.get("now"), resource: resource)
    }

    /// A grant of a job of the key that is at work.
    private func activeGrant() async throws -> (id: String, resource: String)? {
        let row = try await site.jobs.query(
            """
            SELECT g.grant_id, j.resource FROM job_grant g JOIN job j ON j.id = g.job
            WHERE g.key_arn = \(subject.key) AND g.state = 'active' AND j.state = 'running' ORDER BY g.recorded_at DESC LIMIT 1
            """
        ).first
        return try row.map { (try $0.get("grant_id"), try $0.get("resource")) }
    }

    private func putKeyPolicy(denying: Bool) async throws {
        var policy = subject.keyPolicy.objectValue ?? [:]
        if denying {
            let statement: JSONValue = [
                "Effect": "Deny", "Principal": "*", "Action": ["kms:Decrypt", "kms:GenerateDataKey*"], "Resource": "*",
            ]
            policy["Statement"] = .array((policy["Statement"]?.arrayValue ?? []) + [statement])
        }
        try await kms(
            "PutKeyPolicy",
            [
                "KeyId": .string(subject.key), "PolicyName": "default",
                "Policy": .string(JSONValue.object(policy).serializedString),
            ])
    }

    private var nobodysTrust: String {
        """
        {"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole",\
        "Principal":{"AWS":"arn:aws:iam::\(subject.account.id):root"}}]}
        """
    }

    private func kms(_ operation: String, _ body: JSONObject) async throws {
        _ = try await subject.client.call(.kms, operation, body)
    }

    private func iam(_ action: String, _ parameters: [String: String] = [:]) async throws {
        _ = try await subject.client.query("iam", action, parameters.merging(["RoleName": subject.roleName]) { $1 })
    }
}
