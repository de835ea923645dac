import AWSProtocol
import Accounts
import AuditTrail
import Secrets

extension IAMOperation {
    static let accessKeys = [createAccessKey, listAccessKeys, updateAccessKey, deleteAccessKey, getAccessKeyLastUsed]

    private static let createAccessKey = IAMOperation("CreateAccessKey", .change, ["UserName"]) { call in
        let user = try await call.userOrCaller()
        let key = try await call.accounts.insert(
            try await call.accounts.prepareAccessKey(), of: user, account: call.account, on: call.connection)
        return IAMAnswer([
            IAMField(
                "AccessKey",
                .structure([
                    IAMField("UserName", user.name), IAMField("AccessKeyId", key.accessKeyID),
                    IAMField("Status", AccessKeyEntity.Status.active.rawValue),
                    IAMField("SecretAccessKey", .secret(key.secretAccessKey.revealed)),
                    IAMField("CreateDate", .date(key.createdAt)),
                ]))
        ])
    }

    private static let listAccessKeys = IAMOperation("ListAccessKeys", .read, ["UserName"] + paging) { call in
        let user = try await call.userOrCaller()
        return .list(
            "AccessKeyMetadata", try await call.accounts.accessKeys(of: user, try call.page(), on: call.connection),
            value: \.shape)
    }

    private static let updateAccessKey = IAMOperation(
        "UpdateAccessKey", .change, ["UserName", "AccessKeyId", "Status"]
    ) { call in
        let user = try await call.userOrCaller()
        let id = try call.parameters.required("AccessKeyId", IAMRules.accessKeyID)
        let text = try call.required("Status", oneOf: AccessKeyEntity.Status.allCases.map(\.rawValue))
        let status = AccessKeyEntity.Status(rawValue: text) ?? .inactive
        try await call.accounts.setAccessKey(id, status: status, of: user, on: call.connection)
        return .empty
    }

    private static let deleteAccessKey = IAMOperation("DeleteAccessKey", .change, ["UserName", "AccessKeyId"]) { call in
        let user = try await call.userOrCaller()
        let id = try call.parameters.required("AccessKeyId", IAMRules.accessKeyID)
        try await call.accounts.deleteAccessKey(id, of: user, on: call.connection)
        return .empty
    }

    /// From the trail, which knows every call: nothing is written for it when a key is used.
    private static let getAccessKeyLastUsed = IAMOperation("GetAccessKeyLastUsed", .read, ["AccessKeyId"]) { call in
        let id = try call.parameters.required("AccessKeyId", IAMRules.accessKeyID)
        let key = try await call.accounts.accessKey(id, on: call.connection)
        // One of another account, one of nobody and one that the caller may not ask about are the same.
        guard let key, key.account == call.account, let userName = key.userName else {
            throw AWSError.accessDenied("User: \(call.principal.arn) is not authorized to perform: iam:GetAccessKeyLastUsed")
        }
        _ = try await call.identity(.user(userName))
        let last = try await call.trail.lastUse(ofAccessKey: id, account: call.account, on: call.connection)
        let source = last.map { String($0.eventSource.prefix { $0 != "." }) }
        return IAMAnswer([
            IAMField("UserName", userName),
            IAMField(
                "AccessKeyLastUsed",
                .members([
                    IAMField("LastUsedDate", ifPresent: last.map { .date($0.time) }),
                    IAMField("ServiceName", source ?? "N/A"),
                    IAMField("Region", last == nil ? "N/A" : call.request.circumstances.region),
                ])),
        ])
    }
}
