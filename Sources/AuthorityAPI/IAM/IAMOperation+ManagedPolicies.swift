import AWSProtocol
import Accounts

extension IAMOperation {
    static let managedPolicies = [createPolicy, getPolicy, listPolicies, deletePolicy, listEntitiesForPolicy]

    private static let createPolicy = IAMOperation(
        "CreatePolicy", .change, ["PolicyName", "Path", "PolicyDocument", "Description", "Tags"]
    ) { call in
        let new = NewPolicy(
            name: try call.parameters.required("PolicyName", IAMRules.longName), path: try call.path() ?? "/",
            document: try call.parameters.required("PolicyDocument", IAMRules.document),
            description: try call.parameters.optional("Description", IAMRules.description) ?? "", tags: try call.tags())
        try call.authorizeCreation(
            of: .policy(account: call.account, path: new.path, name: new.name), tags: new.tags, tagging: "TagPolicy")
        let policy = try await call.accounts.createPolicy(new, account: call.account, on: call.connection)
        return IAMAnswer([IAMField("Policy", policy.shape())])
    }

    private static let getPolicy = IAMOperation("GetPolicy", .read, ["PolicyArn"]) { call in
        IAMAnswer([IAMField("Policy", try await call.policy().shape())])
    }

    /// There are none of AWS's own.
    private static let listPolicies = IAMOperation(
        "ListPolicies", .read, ["Scope", "OnlyAttached", "PathPrefix", "PolicyUsageFilter"] + paging
    ) { call in
        let page = try call.page()
        let scope = try call.optional("Scope", oneOf: ["All", "AWS", "Local"])
        let usage = try call.usage()
        let onlyAttached = try call.flag("OnlyAttached")
        try call.authorize(.policy(account: call.account, path: page.pathPrefix, name: ""))
        guard scope != "AWS" else { return .list("Policies", Listed<String>(elements: [], next: nil)) { .text($0) } }
        return .list(
            "Policies",
            try await call.accounts.managedPolicies(
                account: call.account, page, onlyAttached: onlyAttached, usedAsBoundary: usage, on: call.connection)
        ) { $0.shape(full: false) }
    }

    private static let deletePolicy = IAMOperation("DeletePolicy", .change, ["PolicyArn"]) { call in
        try await call.accounts.deletePolicy(try await call.policy(), on: call.connection)
        return .empty
    }

    private static let listEntitiesForPolicy = IAMOperation(
        "ListEntitiesForPolicy", .read, ["PolicyArn", "EntityFilter", "PathPrefix", "PolicyUsageFilter"] + paging
    ) { call in
        let page = try call.page()
        let usage = try call.usage()
        let filter = try call.optional(
            "EntityFilter", oneOf: Identity.Kind.allCases.map(\.title) + ["LocalManagedPolicy", "AWSManagedPolicy"])
        let kinds = Identity.Kind.allCases.filter { filter == nil || filter == $0.title }
        let policy = try await call.policy()
        let holders = try await call.accounts.holders(
            of: policy, kinds: kinds, asBoundary: usage, page, on: call.connection)
        let lists = Identity.Kind.allCases.map { kind in
            IAMField(
                "Policy\(kind.title)s",
                .list(
                    holders.elements.filter { $0.kind == kind }.map {
                        .structure([IAMField("\(kind.title)Name", $0.name), IAMField("\(kind.title)Id", $0.id)])
                    }))
        }
        return IAMAnswer(
            lists + [
                IAMField("IsTruncated", .flag(holders.next != nil)),
                IAMField("Marker", ifPresent: holders.next.map { .text(Marker.encode($0)) }),
            ])
    }
}

extension IAMCall {
    /// Whether policies are asked for that are in use as boundary (true) or as permissions (false); nil for all.
    fileprivate func usage() throws -> Bool? {
        try optional("PolicyUsageFilter", oneOf: ["PermissionsPolicy", "PermissionsBoundary"]).map { $0 == "PermissionsBoundary" }
    }
}
