import AWSProtocol
import Accounts

extension IAMOperation {
    static let account = [
        getAccountSummary, createAccountAlias, listAccountAliases, deleteAccountAlias, getAccountAuthorizationDetails,
    ]

    private static let getAccountSummary = IAMOperation("GetAccountSummary", .read, []) { call in
        try call.authorize("*")
        let counts = try await call.accounts.counts(of: call.account, on: call.connection)
        return IAMAnswer([IAMField("SummaryMap", .map(counts.entries))])
    }

    private static let createAccountAlias = IAMOperation("CreateAccountAlias", .change, ["AccountAlias"]) { call in
        let alias = try call.parameters.required("AccountAlias", IAMRules.alias)
        try call.authorize("*")
        try await call.accounts.putAlias(alias, of: call.account, on: call.connection)
        return .empty
    }

    private static let listAccountAliases = IAMOperation("ListAccountAliases", .read, paging) { call in
        let page = try call.page()
        try call.authorize("*")
        let aliases = try await call.accounts.aliases(of: call.account, on: call.connection)
        return .list("AccountAliases", page.cut(aliases.filter { $0 > page.after })) { .text($0) }
    }

    private static let deleteAccountAlias = IAMOperation("DeleteAccountAlias", .change, ["AccountAlias"]) { call in
        let alias = try call.parameters.required("AccountAlias", IAMRules.alias)
        try call.authorize("*")
        try await call.accounts.deleteAlias(alias, of: call.account, on: call.connection)
        return .empty
    }

    /// Users, then groups, roles and policies; a page may end anywhere among them.
    private static let getAccountAuthorizationDetails = IAMOperation(
        "GetAccountAuthorizationDetails", .read, ["Filter"] + paging
    ) { call in
        let page = try call.page()
        let filter = try call.parameters.list("Filter")
        let known = AuthorizationDetails.Section.allCases.map(\.filter) + ["AWSManagedPolicy"]
        guard filter.allSatisfy(known.contains) else {
            throw AWSError.validation(
                field: "Filter", rule: "Member must satisfy enum value set: [\(known.joined(separator: ", "))]")
        }
        try call.authorize("*")
        let sections = AuthorizationDetails.Section.allCases.filter { filter.isEmpty || filter.contains($0.filter) }
        return try await AuthorizationDetails(call: call).answer(sections, page)
    }
}

extension AccountCounts {
    /// As IAM names them, with the quotas.
    fileprivate var entries: [(key: String, value: Int)] {
        [
            ("Users", users), ("UsersQuota", AccountsStore.maximumUsers), ("Groups", groups),
            ("GroupsQuota", AccountsStore.maximumGroups), ("Roles", roles), ("RolesQuota", AccountsStore.maximumRoles),
            ("Policies", policies), ("PoliciesQuota", AccountsStore.maximumManagedPolicies),
            ("PolicySizeQuota", AccountsStore.maximumManagedPolicyCharacters), ("PolicyVersionsInUse", policyVersions),
            ("VersionsPerPolicyQuota", AccountsStore.maximumPolicyVersions), ("MFADevices", mfaDevices),
            ("MFADevicesInUse", mfaDevicesInUse), ("AccountMFAEnabled", 0), ("AccountAccessKeysPresent", rootAccessKeys),
            ("AccountPasswordPresent", 0), ("AccessKeysPerUserQuota", AccountsStore.maximumAccessKeysPerUser),
            ("GroupsPerUserQuota", AccountsStore.maximumGroupsPerUser),
            ("AttachedPoliciesPerUserQuota", AccountsStore.maximumAttachments),
            ("AttachedPoliciesPerGroupQuota", AccountsStore.maximumAttachments),
            ("AttachedPoliciesPerRoleQuota", AccountsStore.maximumAttachments),
            ("UserPolicySizeQuota", AccountsStore.maximumUserPolicyCharacters),
            ("GroupPolicySizeQuota", AccountsStore.maximumGroupPolicyCharacters),
            ("RolePolicySizeQuota", AccountsStore.maximumRolePolicyCharacters),
        ]
    }
}
