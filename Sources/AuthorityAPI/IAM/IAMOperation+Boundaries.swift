import AWSProtocol
import Accounts
import Policies

extension IAMOperation {
    /// For users and roles: groups have none.
    static let boundaries = [Identity.Kind.user, .role].flatMap { [putBoundary($0), deleteBoundary($0)] }

    private static func putBoundary(_ kind: Identity.Kind) -> IAMOperation {
        IAMOperation("Put\(kind.title)PermissionsBoundary", .change, [kind.parameter, "PermissionsBoundary"]) { call in
            let arn = try call.policyARN("PermissionsBoundary")
            let name = try call.parameters.required(kind.parameter, IAMRules.longName)
            // The condition is about the new boundary.
            let identity = try await call.identity(
                PolicyOwner(kind, name), ConditionContext(["iam:PermissionsBoundary": [arn.description]]))
            try await call.accounts.setBoundary(try await call.attachable(arn), of: identity, on: call.connection)
            return .empty
        }
    }

    private static func deleteBoundary(_ kind: Identity.Kind) -> IAMOperation {
        IAMOperation("Delete\(kind.title)PermissionsBoundary", .change, [kind.parameter]) { call in
            try await call.accounts.setBoundary(nil, of: try await call.identity(kind), on: call.connection)
            return .empty
        }
    }
}
