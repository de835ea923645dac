import AWSProtocol
import Accounts

/// The answer of GetAccountAuthorizationDetails: everybody with all policies.
struct AuthorizationDetails {
    enum Section: Int, CaseIterable {
        case users, groups, roles, policies

        var filter: String {
            switch self {
            case .users: "User"
            case .groups: "Group"
            case .roles: "Role"
            case .policies: "LocalManagedPolicy"
            }
        }

        var list: String {
            switch self {
            case .users: "UserDetailList"
            case .groups: "GroupDetailList"
            case .roles: "RoleDetailList"
            case .policies: "Policies"
            }
        }
    }

    /// Whatever one user, group or role has of something: bounds keep it far below.
    private static let everything = ListPage(limit: ListPage.limits.upperBound)

    let call: IAMCall

    /// `page.after` is `section/name`.
    func answer(_ sections: [Section], _ page: ListPage) async throws -> IAMAnswer {
        let parts = page.after.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        let first = parts.first.flatMap { Int($0) } ?? 0
        guard page.after.isEmpty || parts.count == 2 else { throw AWSError.validation("Invalid Marker.") }
        var lists: [Section: [IAMValue]] = [:]
        var room = page.limit
        var next: String?
        for section in sections where section.rawValue >= first {
            guard room > 0 else {
                next = "\(section.rawValue)/"
                break
            }
            let after = section.rawValue == first && parts.count == 2 ? String(parts[1]) : ""
            let listed = try await details(section, ListPage(after: after, limit: room))
            lists[section] = listed.elements
            room -= listed.elements.count
            if let more = listed.next {
                next = "\(section.rawValue)/\(more)"
                break
            }
        }
        return IAMAnswer(
            Section.allCases.map { IAMField($0.list, .list(lists[$0] ?? [])) } + [
                IAMField("IsTruncated", .flag(next != nil)),
                IAMField("Marker", ifPresent: next.map { .text(Marker.encode($0)) }),
            ])
    }

    private func details(_ section: Section, _ page: ListPage) async throws -> Listed<IAMValue> {
        let (accounts, account, connection) = (call.accounts, call.account, call.connection)
        switch section {
        case .users:
            let users = try await accounts.users(account: account, page, on: connection)
            return try await each(users) { user in
                let identity = try await accounts.requiredIdentity(.user(user.name), account: account, on: connection)
                let groups = try await accounts.groups(of: identity, Self.everything, on: connection)
                return user.shape().adding(
                    try await policies(of: identity) + [IAMField("GroupList", .list(groups.elements.map { .text($0.name) }))])
            }
        case .groups:
            let groups = try await accounts.groups(account: account, page, on: connection)
            return try await each(groups) { group in
                let identity = try await accounts.requiredIdentity(.group(group.name), account: account, on: connection)
                return group.shape.adding(try await policies(of: identity))
            }
        case .roles:
            let roles = try await accounts.roles(account: account, page, on: connection)
            return try await each(roles) { role in
                let identity = try await accounts.requiredIdentity(.role(role.name), account: account, on: connection)
                return role.shape().adding(
                    try await policies(of: identity) + [IAMField("InstanceProfileList", .list([]))])
            }
        case .policies:
            let policies = try await accounts.managedPolicies(account: account, page, on: connection)
            return try await each(policies) { policy in
                let versions = try await accounts.versions(of: policy, on: connection)
                return policy.shape().adding([
                    IAMField("PolicyVersionList", .list(versions.map { $0.shape(withDocument: true) }))
                ])
            }
        }
    }

    private func policies(of identity: Identity) async throws -> [IAMField] {
        let inline = try await call.accounts.inlinePolicies(of: identity, on: call.connection)
        let attached = try await call.accounts.attachedPolicies(of: identity, Self.everything, on: call.connection)
        return [
            IAMField(
                "\(identity.kind.title)PolicyList",
                .list(
                    inline.map {
                        .structure([IAMField("PolicyName", $0.name), IAMField("PolicyDocument", .document($0.document))])
                    })),
            IAMField(
                "AttachedManagedPolicies",
                .list(
                    attached.elements.map {
                        .structure([IAMField("PolicyName", $0.name), IAMField("PolicyArn", $0.arn)])
                    })),
        ]
    }

    private func each<Element>(
        _ listed: Listed<Element>, _ value: (Element) async throws -> IAMValue
    ) async throws -> Listed<IAMValue> {
        var values: [IAMValue] = []
        for element in listed.elements { values.append(try await value(element)) }
        return Listed(elements: values, next: listed.next)
    }
}

extension IAMValue {
    /// A structure with further members.
    fileprivate func adding(_ fields: [IAMField]) -> IAMValue {
        guard case .structure(let own) = self else { return self }
        return .structure(own + fields)
    }
}
