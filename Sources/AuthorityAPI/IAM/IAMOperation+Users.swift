import AWSProtocol
import Accounts

extension IAMOperation {
    static let users = [createUser, getUser, listUsers, updateUser, deleteUser]

    private static let createUser = IAMOperation(
        "CreateUser", .change, ["UserName", "Path", "PermissionsBoundary", "Tags"]
    ) { call in
        let name = try call.parameters.required("UserName", IAMRules.entityName)
        let path = try call.path() ?? "/"
        let tags = try call.tags()
        let boundary = try call.parameters["PermissionsBoundary"].map { _ in try call.policyARN("PermissionsBoundary") }
        try call.authorizeCreation(
            of: .user(account: call.account, path: path, name: name), tags: tags, boundary: boundary, tagging: "TagUser")
        let user = try await call.accounts.createUser(
            NewUser(name: name, path: path, tags: tags, boundary: try await call.boundary(boundary)), account: call.account,
            on: call.connection)
        return IAMAnswer([IAMField("User", user.shape())])
    }

    private static let getUser = IAMOperation("GetUser", .read, ["UserName"]) { call in
        let identity = try await call.userOrCaller()
        guard let user = try await call.accounts.user(identity.name, account: call.account, on: call.connection) else {
            throw AccountsStore.missing(.user(identity.name))
        }
        return IAMAnswer([IAMField("User", user.shape())])
    }

    private static let listUsers = IAMOperation("ListUsers", .read, ["PathPrefix"] + paging) { call in
        let page = try call.page()
        try call.authorize(ARN.user(account: call.account, path: page.pathPrefix, name: ""))
        return .list("Users", try await call.accounts.users(account: call.account, page, on: call.connection)) {
            $0.shape(full: false)
        }
    }

    /// Needs the right on the user as it is and as it is to be.
    private static let updateUser = IAMOperation("UpdateUser", .change, ["UserName", "NewUserName", "NewPath"]) { call in
        let user = try await call.identity(.user(try call.parameters.required("UserName", IAMRules.longName)))
        let name = try call.parameters.optional("NewUserName", IAMRules.entityName) ?? user.name
        let path = try call.path("NewPath") ?? user.path
        try call.authorize(.user(account: call.account, path: path, name: name))
        try await call.accounts.rename(user, name: name, path: path, on: call.connection)
        return .empty
    }

    private static let deleteUser = IAMOperation("DeleteUser", .change, ["UserName"]) { call in
        let user = try await call.identity(.user(try call.parameters.required("UserName", IAMRules.longName)))
        try await call.accounts.deleteUser(user, withPolicies: false, on: call.connection)
        return .empty
    }
}

extension IAMCall {
    /// The policy that bounds what is made; nil where none is asked for.
    func boundary(_ arn: ARN?) async throws -> ManagedPolicyEntity? {
        guard let arn else { return nil }
        return try await attachable(arn)
    }
}
