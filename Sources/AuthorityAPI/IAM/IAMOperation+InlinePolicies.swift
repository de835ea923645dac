import AWSProtocol
import Accounts

extension IAMOperation {
    /// Put, get, list and delete, for users, groups and roles.
    static let inlinePolicies = Identity.Kind.allCases.flatMap { [put($0), get($0), list($0), delete($0)] }

    private static func put(_ kind: Identity.Kind) -> IAMOperation {
        IAMOperation("Put\(kind.title)Policy", .change, [kind.parameter, "PolicyName", "PolicyDocument"]) { call in
            let name = try call.policyName()
            let document = try call.parameters.required("PolicyDocument", IAMRules.document)
            let identity = try await call.identity(kind)
            try await call.accounts.putPolicy(name, document: document, of: identity, on: call.connection)
            return .empty
        }
    }

    private static func get(_ kind: Identity.Kind) -> IAMOperation {
        IAMOperation("Get\(kind.title)Policy", .read, [kind.parameter, "PolicyName"]) { call in
            let name = try call.policyName()
            let identity = try await call.identity(kind)
            let document = try await call.accounts.inlinePolicy(name, of: identity, on: call.connection)
            return IAMAnswer([
                IAMField(kind.parameter, identity.name), IAMField("PolicyName", name),
                IAMField("PolicyDocument", .document(document)),
            ])
        }
    }

    private static func list(_ kind: Identity.Kind) -> IAMOperation {
        IAMOperation("List\(kind.title)Policies", .read, [kind.parameter] + paging) { call in
            let page = try call.page()
            let identity = try await call.identity(kind)
            // There are 50 at most, in the order of their names.
            let names = try await call.accounts.inlinePolicies(of: identity, on: call.connection).map(\.name)
            return .list("PolicyNames", page.cut(names.filter { $0 > page.after })) { .text($0) }
        }
    }

    private static func delete(_ kind: Identity.Kind) -> IAMOperation {
        IAMOperation("Delete\(kind.title)Policy", .change, [kind.parameter, "PolicyName"]) { call in
            let name = try call.policyName()
            let identity = try await call.identity(kind)
            try await call.accounts.deletePolicy(name, of: identity, on: call.connection)
            return .empty
        }
    }
}

extension Identity.Kind {
    /// `UserName`
    var parameter: String { "\(title)Name" }
}

extension IAMCall {
    /// The one that the parameter of its kind names.
    func identity(_ kind: Identity.Kind) async throws -> Identity {
        try await identity(PolicyOwner(kind, try parameters.required(kind.parameter, IAMRules.longName)))
    }

    fileprivate func policyName() throws -> String { try parameters.required("PolicyName", IAMRules.longName) }
}
