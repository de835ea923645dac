import AWSProtocol
import Accounts

// The structures of IAM's model.

extension UserEntity {
    /// Lists leave out boundary and tags, as IAM does.
    func shape(full: Bool = true) -> IAMValue {
        .members([
            IAMField("Path", path), IAMField("UserName", name), IAMField("UserId", userID),
            IAMField("Arn", arn.description), IAMField("CreateDate", .date(createdAt)),
            full ? IAMField.boundary(boundary) : nil, full ? IAMField.tags(tags) : nil,
        ])
    }
}

extension GroupEntity {
    var shape: IAMValue {
        .members([
            IAMField("Path", path), IAMField("GroupName", name), IAMField("GroupId", groupID),
            IAMField("Arn", arn.description), IAMField("CreateDate", .date(createdAt)),
        ])
    }
}

extension RoleEntity {
    /// Lists leave out boundary and tags, as IAM does.
    func shape(full: Bool = true) -> IAMValue {
        .members([
            IAMField("Path", path), IAMField("RoleName", name), IAMField("RoleId", roleID),
            IAMField("Arn", arn.description), IAMField("CreateDate", .date(createdAt)),
            IAMField("AssumeRolePolicyDocument", .document(trustPolicy)),
            description.isEmpty ? nil : IAMField("Description", description),
            IAMField("MaxSessionDuration", .number(maximumSessionSeconds)), full ? IAMField.boundary(boundary) : nil,
            full ? IAMField.tags(tags) : nil,
        ])
    }
}

extension AccessKeyEntity {
    var shape: IAMValue {
        .members([
            IAMField("UserName", ifPresent: userName.map { .text($0) }), IAMField("AccessKeyId", accessKeyID),
            IAMField("Status", status.rawValue), IAMField("CreateDate", .date(createdAt)),
        ])
    }
}

extension ManagedPolicyEntity {
    /// Lists leave out description and tags, as IAM does.
    func shape(full: Bool = true) -> IAMValue {
        .members([
            IAMField("PolicyName", name), IAMField("PolicyId", policyID), IAMField("Arn", arn.description),
            IAMField("Path", path), IAMField("DefaultVersionId", "v\(defaultVersion)"),
            IAMField("AttachmentCount", .number(attachments)),
            IAMField("PermissionsBoundaryUsageCount", .number(boundaries)), IAMField("IsAttachable", .flag(true)),
            full && !description.isEmpty ? IAMField("Description", description) : nil,
            IAMField("CreateDate", .date(createdAt)), IAMField("UpdateDate", .date(updatedAt)),
            full ? IAMField.tags(tags) : nil,
        ])
    }
}

extension PolicyVersionEntity {
    /// - Parameter withDocument: IAM leaves the document out of lists and of answers to CreatePolicyVersion.
    func shape(withDocument: Bool) -> IAMValue {
        .members([
            withDocument ? IAMField("Document", .document(document)) : nil, IAMField("VersionId", versionID),
            IAMField("IsDefaultVersion", .flag(isDefault)), IAMField("CreateDate", .date(createdAt)),
        ])
    }
}

extension MFADeviceEntity {
    /// Of ListMFADevices, for a device that is enabled.
    var assignedShape: IAMValue {
        .members([
            IAMField("UserName", ifPresent: userName.map { .text($0) }), IAMField("SerialNumber", arn.description),
            IAMField("EnableDate", ifPresent: enabledAt.map { .date($0) }),
        ])
    }
}

extension IAMField {
    static func boundary(_ arn: ARN?) -> IAMField? {
        IAMField(
            "PermissionsBoundary",
            ifPresent: arn.map { arn in
                .members([
                    IAMField("PermissionsBoundaryType", "Policy"), IAMField("PermissionsBoundaryArn", arn.description),
                ])
            })
    }

    static func tags(_ tags: IdentityTags) -> IAMField? {
        tags.isEmpty ? nil : IAMField("Tags", .list(tags.list.map(\.shape)))
    }
}

extension IdentityTag {
    var shape: IAMValue { .structure([IAMField("Key", key), IAMField("Value", value)]) }
}
