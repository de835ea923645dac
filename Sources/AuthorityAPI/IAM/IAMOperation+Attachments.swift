import AWSProtocol
import Accounts
import Policies

extension IAMOperation {
    /// Attach, detach and list, for users, groups and roles.
    static let attachments = Identity.Kind.allCases.flatMap { [attach($0), detach($0), listAttached($0)] }

    private static func attach(_ kind: Identity.Kind) -> IAMOperation {
        IAMOperation("Attach\(kind.title)Policy", .change, [kind.parameter, "PolicyArn"]) { call in
            let (identity, arn) = try await call.attachment(kind)
            try await call.accounts.attach(try await call.attachable(arn), to: identity, on: call.connection)
            return .empty
        }
    }

    private static func detach(_ kind: Identity.Kind) -> IAMOperation {
        IAMOperation("Detach\(kind.title)Policy", .change, [kind.parameter, "PolicyArn"]) { call in
            let (identity, arn) = try await call.attachment(kind)
            try await call.accounts.detach(try await call.attachable(arn), from: identity, on: call.connection)
            return .empty
        }
    }

    private static func listAttached(_ kind: Identity.Kind) -> IAMOperation {
        IAMOperation("ListAttached\(kind.title)Policies", .read, [kind.parameter, "PathPrefix"] + paging) { call in
            let page = try call.page()
            let identity = try await call.identity(kind)
            return .list(
                "AttachedPolicies", try await call.accounts.attachedPolicies(of: identity, page, on: call.connection)
            ) { .structure([IAMField("PolicyName", $0.name), IAMField("PolicyArn", $0.arn)]) }
        }
    }
}

extension IAMCall {
    /// Who gets or loses which policy; `iam:PolicyARN` is what conditions look at.
    fileprivate func attachment(_ kind: Identity.Kind) async throws -> (Identity, ARN) {
        let arn = try policyARN()
        let name = try parameters.required(kind.parameter, IAMRules.longName)
        let context = ConditionContext(["iam:PolicyARN": [arn.description]])
        return (try await identity(PolicyOwner(kind, name), context), arn)
    }
}
