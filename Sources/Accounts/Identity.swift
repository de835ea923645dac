package import AWSProtocol

/// What users, groups and roles have in common: they have policies.
package struct Identity: Sendable, Hashable {
    package enum Kind: String, Sendable, CaseIterable {
        case user, group, role
    }

    package let kind: Kind
    package let id: String
    package let name: String
    package let path: String
    package let arn: ARN
    package let tags: IdentityTags
    package let boundary: ARN?
}

extension Identity {
    init(_ user: UserEntity) {
        self.init(
            kind: .user, id: user.userID, name: user.name, path: user.path, arn: user.arn, tags: user.tags,
            boundary: user.boundary)
    }

    init(_ group: GroupEntity) {
        self.init(
            kind: .group, id: group.groupID, name: group.name, path: group.path, arn: group.arn, tags: .none, boundary: nil)
    }

    init(_ role: RoleEntity) {
        self.init(
            kind: .role, id: role.roleID, name: role.name, path: role.path, arn: role.arn, tags: role.tags,
            boundary: role.boundary)
    }
}

extension Identity.Kind {
    // Where rows of the kind lie: constants of the source that SQL is made with.
    var table: String {
        switch self {
        case .user: "users"
        case .group: "user_groups"
        case .role: "roles"
        }
    }

    var column: String { "\(rawValue)_id" }
    var policyTable: String { "\(rawValue)_policies" }
    var attachmentTable: String { "\(rawValue)_attachments" }

    /// `User`, as names of operations have it.
    package var title: String { rawValue.prefix(1).uppercased() + rawValue.dropFirst() }

    /// Characters without white space that the inline policies of one of the kind have together.
    package var maximumPolicyCharacters: Int {
        switch self {
        case .user: AccountsStore.maximumUserPolicyCharacters
        case .group: AccountsStore.maximumGroupPolicyCharacters
        case .role: AccountsStore.maximumRolePolicyCharacters
        }
    }
}

extension PolicyOwner {
    package init(_ kind: Identity.Kind, _ name: String) {
        switch kind {
        case .user: self = .user(name)
        case .group: self = .group(name)
        case .role: self = .role(name)
        }
    }

    package var kind: Identity.Kind {
        switch self {
        case .user: .user
        case .group: .group
        case .role: .role
        }
    }

    package var name: String {
        switch self {
        case .user(let name), .group(let name), .role(let name): name
        }
    }

    /// The ARN of one without a path, for decisions about one that does not exist.
    package func arn(account: String) -> ARN {
        switch self {
        case .user(let name): .user(account: account, name: name)
        case .group(let name): .group(account: account, name: name)
        case .role(let name): .role(account: account, name: name)
        }
    }
}
