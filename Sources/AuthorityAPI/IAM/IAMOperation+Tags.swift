import AWSProtocol
import Accounts
import Policies

extension IAMOperation {
    /// Tag, untag and list, for users, roles and managed policies.
    static let tags =
        [Identity.Kind.user, .role].flatMap { [tag($0), untag($0), listTags($0)] } + [tagPolicy, untagPolicy, listPolicyTags]

    private static func tag(_ kind: Identity.Kind) -> IAMOperation {
        IAMOperation("Tag\(kind.title)", .change, [kind.parameter, "Tags"]) { call in
            let tags = try call.tags()
            let name = try call.parameters.required(kind.parameter, IAMRules.longName)
            let identity = try await call.identity(PolicyOwner(kind, name), .requesting(tags))
            try await call.accounts.changeTags(of: identity, on: call.connection) { try $0.setting(tags) }
            return .empty
        }
    }

    private static func untag(_ kind: Identity.Kind) -> IAMOperation {
        IAMOperation("Untag\(kind.title)", .change, [kind.parameter, "TagKeys"]) { call in
            let keys = try call.tagKeys()
            let name = try call.parameters.required(kind.parameter, IAMRules.longName)
            let identity = try await call.identity(PolicyOwner(kind, name), ConditionContext(["aws:TagKeys": keys]))
            try await call.accounts.changeTags(of: identity, on: call.connection) { $0.removing(keys) }
            return .empty
        }
    }

    private static func listTags(_ kind: Identity.Kind) -> IAMOperation {
        IAMOperation("List\(kind.title)Tags", .read, [kind.parameter] + paging) { call in
            let page = try call.page()
            return .tags(try await call.identity(kind).tags, page)
        }
    }

    private static let tagPolicy = IAMOperation("TagPolicy", .change, ["PolicyArn", "Tags"]) { call in
        let tags = try call.tags()
        let policy = try await call.policy(.requesting(tags))
        try await call.accounts.changeTags(of: policy, on: call.connection) { try $0.setting(tags) }
        return .empty
    }

    private static let untagPolicy = IAMOperation("UntagPolicy", .change, ["PolicyArn", "TagKeys"]) { call in
        let keys = try call.tagKeys()
        let policy = try await call.policy(ConditionContext(["aws:TagKeys": keys]))
        try await call.accounts.changeTags(of: policy, on: call.connection) { $0.removing(keys) }
        return .empty
    }

    private static let listPolicyTags = IAMOperation("ListPolicyTags", .read, ["PolicyArn"] + paging) { call in
        let page = try call.page()
        return .tags(try await call.policy().tags, page)
    }
}

extension ConditionContext {
    fileprivate static func requesting(_ tags: IdentityTags) -> ConditionContext {
        var context = ConditionContext()
        context.setRequestTags(tags)
        return context
    }
}

extension IAMCall {
    fileprivate func tagKeys() throws -> [String] {
        let keys = try parameters.list("TagKeys")
        guard keys.count <= IdentityTags.maximumTags else {
            throw AWSError.validation(
                field: "TagKeys", rule: "Member must have length less than or equal to \(IdentityTags.maximumTags)")
        }
        for key in keys {
            if let broken = IAMRules.tagKey.violation(of: key) { throw AWSError.validation(field: "TagKeys", rule: broken) }
        }
        return keys
    }
}

extension IAMAnswer {
    /// In the order of their keys.
    fileprivate static func tags(_ tags: IdentityTags, _ page: ListPage) -> IAMAnswer {
        let key = { (tag: IdentityTag) in IdentityTags.folded(tag.key) }
        let rest = tags.list.sorted { key($0) < key($1) }.filter { key($0) > page.after }
        return .list("Tags", page.cut(rest, by: key), value: \.shape)
    }
}
