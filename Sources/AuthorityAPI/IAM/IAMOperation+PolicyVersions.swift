import AWSProtocol
import Accounts

extension IAMOperation {
    static let policyVersions = [
        createPolicyVersion, getPolicyVersion, listPolicyVersions, deletePolicyVersion, setDefaultPolicyVersion,
    ]

    private static let createPolicyVersion = IAMOperation(
        "CreatePolicyVersion", .change, ["PolicyArn", "PolicyDocument", "SetAsDefault"]
    ) { call in
        let document = try call.parameters.required("PolicyDocument", IAMRules.document)
        let asDefault = try call.flag("SetAsDefault")
        let version = try await call.accounts.createVersion(
            of: try await call.policy(), document: document, asDefault: asDefault, on: call.connection)
        return IAMAnswer([IAMField("PolicyVersion", version.shape(withDocument: false))])
    }

    private static let getPolicyVersion = IAMOperation("GetPolicyVersion", .read, ["PolicyArn", "VersionId"]) { call in
        let number = try call.versionNumber()
        let version = try await call.accounts.version(number, of: try await call.policy(), on: call.connection)
        return IAMAnswer([IAMField("PolicyVersion", version.shape(withDocument: true))])
    }

    private static let listPolicyVersions = IAMOperation("ListPolicyVersions", .read, ["PolicyArn"] + paging) { call in
        let page = try call.page()
        let versions = try await call.accounts.versions(of: try await call.policy(), on: call.connection)
        // Newest first, and five at most.
        let before = page.after.isEmpty ? nil : Int(page.after)
        let rest = versions.filter { version in before.map { version.number < $0 } ?? true }
        return .list("Versions", page.cut(rest) { String($0.number) }) { $0.shape(withDocument: false) }
    }

    private static let deletePolicyVersion = IAMOperation(
        "DeletePolicyVersion", .change, ["PolicyArn", "VersionId"]
    ) { call in
        let number = try call.versionNumber()
        try await call.accounts.deleteVersion(number, of: try await call.policy(), on: call.connection)
        return .empty
    }

    private static let setDefaultPolicyVersion = IAMOperation(
        "SetDefaultPolicyVersion", .change, ["PolicyArn", "VersionId"]
    ) { call in
        let number = try call.versionNumber()
        try await call.accounts.setDefaultVersion(number, of: try await call.policy(), on: call.connection)
        return .empty
    }
}

extension IAMCall {
    fileprivate func versionNumber() throws -> Int {
        let text = try parameters.required("VersionId")
        guard let number = PolicyVersionEntity.number(of: text) else {
            throw AWSError.validation(
                field: "VersionId", rule: #"Member must satisfy regular expression pattern: v[1-9][0-9]*(\.[A-Za-z0-9-]*)?"#)
        }
        return number
    }
}
