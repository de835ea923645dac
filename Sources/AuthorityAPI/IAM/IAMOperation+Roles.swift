import AWSProtocol
import Accounts
import Policies

extension IAMOperation {
    static let roles = [
        createRole, getRole, listRoles, updateRole, updateRoleDescription, updateAssumeRolePolicy, deleteRole,
    ]

    private static let createRole = IAMOperation(
        "CreateRole", .change,
        [
            "RoleName", "Path", "AssumeRolePolicyDocument", "Description", "MaxSessionDuration", "PermissionsBoundary", "Tags",
        ]
    ) { call in
        let parameters = call.parameters
        let tags = try call.tags()
        let boundary = try parameters["PermissionsBoundary"].map { _ in try call.policyARN("PermissionsBoundary") }
        var role = NewRole(
            name: try parameters.required("RoleName", IAMRules.entityName), path: try call.path() ?? "/",
            trustPolicy: try parameters.required("AssumeRolePolicyDocument", IAMRules.document),
            description: try parameters.optional("Description", IAMRules.description) ?? "", tags: tags)
        if let seconds = try call.sessionSeconds() { role.maximumSessionSeconds = seconds }
        try call.authorizeCreation(
            of: .role(account: call.account, path: role.path, name: role.name), tags: tags, boundary: boundary,
            tagging: "TagRole")
        role.boundary = try await call.boundary(boundary)
        try await call.checkPrincipals(of: role.trustPolicy)
        let made = try await call.accounts.createRole(role, account: call.account, on: call.connection)
        return IAMAnswer([IAMField("Role", made.shape())])
    }

    private static let getRole = IAMOperation("GetRole", .read, ["RoleName"]) { call in
        let identity = try await call.role()
        let role = try await call.accounts.requiredRole(identity.name, account: call.account, on: call.connection)
        return IAMAnswer([IAMField("Role", role.shape())])
    }

    private static let listRoles = IAMOperation("ListRoles", .read, ["PathPrefix"] + paging) { call in
        let page = try call.page()
        try call.authorize(.role(account: call.account, path: page.pathPrefix, name: ""))
        return .list("Roles", try await call.accounts.roles(account: call.account, page, on: call.connection)) {
            $0.shape(full: false)
        }
    }

    private static let updateRole = IAMOperation(
        "UpdateRole", .change, ["RoleName", "Description", "MaxSessionDuration"]
    ) { call in
        let role = try await call.role()
        try await call.accounts.updateRole(
            role, description: try call.parameters.optional("Description", IAMRules.description),
            maximumSessionSeconds: try call.sessionSeconds(), on: call.connection)
        return .empty
    }

    private static let updateRoleDescription = IAMOperation(
        "UpdateRoleDescription", .change, ["RoleName", "Description"]
    ) { call in
        let role = try await call.role()
        try await call.accounts.updateRole(
            role, description: try call.parameters.required("Description", IAMRules.description), maximumSessionSeconds: nil,
            on: call.connection)
        let changed = try await call.accounts.requiredRole(role.name, account: call.account, on: call.connection)
        return IAMAnswer([IAMField("Role", changed.shape())])
    }

    private static let updateAssumeRolePolicy = IAMOperation(
        "UpdateAssumeRolePolicy", .change, ["RoleName", "PolicyDocument"]
    ) { call in
        let role = try await call.role()
        let document = try call.parameters.required("PolicyDocument", IAMRules.document)
        try await call.checkPrincipals(of: document)
        try await call.accounts.putTrustPolicy(document, of: role, on: call.connection)
        return .empty
    }

    private static let deleteRole = IAMOperation("DeleteRole", .change, ["RoleName"]) { call in
        try await call.accounts.deleteRole(try await call.role(), withPolicies: false, on: call.connection)
        return .empty
    }
}

extension IAMCall {
    fileprivate func role() async throws -> Identity {
        try await identity(.role(try parameters.required("RoleName", IAMRules.longName)))
    }

    fileprivate func sessionSeconds() throws -> Int? {
        try parameters.optionalInt("MaxSessionDuration", range: AccountsStore.sessionSeconds)
    }

    /// A trust policy for somebody who does not exist would be one for whoever takes that name. A document that does not parse is
    /// refused where it is put.
    fileprivate func checkPrincipals(of trustPolicy: String) async throws {
        guard let document = try? accounts.policies.document(trustPolicy, kind: .trust) else { return }
        for principal in document.principals where try await accounts.look(up: principal, on: connection) == .missing {
            throw AccountsError.invalidPrincipal
        }
    }
}
