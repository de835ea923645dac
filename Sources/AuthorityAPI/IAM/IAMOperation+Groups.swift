import AWSProtocol
import Accounts

extension IAMOperation {
    static let groups = [
        createGroup, getGroup, listGroups, updateGroup, deleteGroup, addUserToGroup, removeUserFromGroup, listGroupsForUser,
    ]

    private static let createGroup = IAMOperation("CreateGroup", .change, ["GroupName", "Path"]) { call in
        let name = try call.parameters.required("GroupName", IAMRules.longName)
        let path = try call.path() ?? "/"
        try call.authorize(.group(account: call.account, path: path, name: name))
        let group = try await call.accounts.createGroup(name, path: path, account: call.account, on: call.connection)
        return IAMAnswer([IAMField("Group", group.shape)])
    }

    private static let getGroup = IAMOperation("GetGroup", .read, ["GroupName"] + paging) { call in
        let identity = try await call.identity(.group(try call.groupName()))
        guard let group = try await call.accounts.group(identity.name, account: call.account, on: call.connection) else {
            throw AccountsStore.missing(.group(identity.name))
        }
        return .list(
            "Users", try await call.accounts.members(of: identity, try call.page(), on: call.connection),
            [IAMField("Group", group.shape)]
        ) { $0.shape(full: false) }
    }

    private static let listGroups = IAMOperation("ListGroups", .read, ["PathPrefix"] + paging) { call in
        let page = try call.page()
        try call.authorize(.group(account: call.account, path: page.pathPrefix, name: ""))
        return .list(
            "Groups", try await call.accounts.groups(account: call.account, page, on: call.connection), value: \.shape)
    }

    /// Needs the right on the group as it is and as it is to be.
    private static let updateGroup = IAMOperation("UpdateGroup", .change, ["GroupName", "NewGroupName", "NewPath"]) { call in
        let group = try await call.identity(.group(try call.groupName()))
        let name = try call.parameters.optional("NewGroupName", IAMRules.longName) ?? group.name
        let path = try call.path("NewPath") ?? group.path
        try call.authorize(.group(account: call.account, path: path, name: name))
        try await call.accounts.rename(group, name: name, path: path, on: call.connection)
        return .empty
    }

    private static let deleteGroup = IAMOperation("DeleteGroup", .change, ["GroupName"]) { call in
        try await call.accounts.deleteGroup(try await call.identity(.group(try call.groupName())), on: call.connection)
        return .empty
    }

    private static let addUserToGroup = IAMOperation("AddUserToGroup", .change, ["GroupName", "UserName"]) { call in
        let (group, user) = try await call.membership()
        try await call.accounts.add(user, to: group, on: call.connection)
        return .empty
    }

    private static let removeUserFromGroup = IAMOperation(
        "RemoveUserFromGroup", .change, ["GroupName", "UserName"]
    ) { call in
        let (group, user) = try await call.membership()
        try await call.accounts.remove(user, from: group, on: call.connection)
        return .empty
    }

    private static let listGroupsForUser = IAMOperation("ListGroupsForUser", .read, ["UserName"] + paging) { call in
        let user = try await call.identity(.user(try call.parameters.required("UserName", IAMRules.longName)))
        return .list(
            "Groups", try await call.accounts.groups(of: user, try call.page(), on: call.connection), value: \.shape)
    }
}

extension IAMCall {
    fileprivate func groupName() throws -> String { try parameters.required("GroupName", IAMRules.longName) }

    /// The decision is about the group alone, as in IAM.
    fileprivate func membership() async throws -> (group: Identity, user: Identity) {
        let userName = try parameters.required("UserName", IAMRules.longName)
        let group = try await identity(.group(try groupName()))
        return (group, try await accounts.requiredIdentity(.user(userName), account: account, on: connection))
    }
}
