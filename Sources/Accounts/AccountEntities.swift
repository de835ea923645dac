package import AWSProtocol
import Postgres
package import Secrets

package import struct FoundationEssentials.Date

/// An account as it is listed.
package struct Account: Sendable, Hashable {
    package let id: String
    package let name: String
    package let createdAt: Date
}

/// A user as it is listed.
package struct UserEntity: Sendable, Hashable {
    package let userID: String
    package let account: String
    package let path: String
    package let name: String
    package let createdAt: Date
    package let tags: IdentityTags
    /// The managed policy that bounds what the user may do; nil where none does.
    package let boundary: ARN?

    package var arn: ARN { .user(account: account, path: path, name: name) }
}

/// A role as it is listed.
package struct RoleEntity: Sendable, Hashable {
    package let roleID: String
    package let account: String
    package let path: String
    package let name: String
    package let description: String
    /// JSON as it was put.
    package let trustPolicy: String
    package let maximumSessionSeconds: Int
    package let createdAt: Date
    package let tags: IdentityTags
    /// The managed policy that bounds what the role's sessions may do; nil where none does.
    package let boundary: ARN?

    package var arn: ARN { .role(account: account, path: path, name: name) }
}

extension RoleEntity {
    /// A session that the role could have, for questions about it; nobody signs with it.
    package func principal(session name: String, at time: Date) -> Principal {
        Principal(
            kind: .assumedRole(
                .init(roleARN: arn, roleID: roleID, sessionName: name, createdAt: time, expiresAt: time, tags: tags)),
            account: account, arn: .session(account: account, role: self.name, name: name), userID: "\(roleID):\(name)",
            accessKeyID: "")
    }
}

/// An access key without its secret.
package struct AccessKeyEntity: Sendable, Hashable {
    package enum Status: String, Sendable, CaseIterable, PostgresEncodable, PostgresDecodable {
        case active = "Active", inactive = "Inactive"
    }

    package let accessKeyID: String
    package let account: String
    /// Nil for a key of root.
    package let userName: String?
    package let status: Status
    package let createdAt: Date
}

/// A new access key, the only time its secret is shown.
package struct NewAccessKey: Sendable {
    package let accessKeyID: String
    package let secretAccessKey: Redacted<String>
    package let createdAt: Date
}

/// A new access key whose row is not written yet.
package struct PreparedAccessKey: Sendable {
    package let accessKeyID: String
    let secret: Redacted<String>
    let sealed: [UInt8]
}

/// Whose policies are meant, by name.
package enum PolicyOwner: Sendable, Hashable {
    case user(String)
    case group(String)
    case role(String)
}

/// A group as it is listed.
package struct GroupEntity: Sendable, Hashable {
    package let groupID: String
    package let account: String
    package let path: String
    package let name: String
    package let createdAt: Date

    package var arn: ARN { .group(account: account, path: path, name: name) }
}

extension ARN {
    package static func user(account: String, path: String = "/", name: String) -> ARN {
        ARN(service: "iam", region: "", account: account, resource: "user\(path)\(name)")
    }

    package static func role(account: String, path: String = "/", name: String) -> ARN {
        ARN(service: "iam", region: "", account: account, resource: "role\(path)\(name)")
    }

    package static func group(account: String, path: String = "/", name: String) -> ARN {
        ARN(service: "iam", region: "", account: account, resource: "group\(path)\(name)")
    }

    package static func policy(account: String, path: String = "/", name: String) -> ARN {
        ARN(service: "iam", region: "", account: account, resource: "policy\(path)\(name)")
    }

    /// The serial number of a virtual MFA device.
    package static func mfaDevice(account: String, path: String = "/", name: String) -> ARN {
        ARN(service: "iam", region: "", account: account, resource: "mfa\(path)\(name)")
    }

    /// The ARN of a session; a role's path is not part of it.
    package static func session(account: String, role: String, name: String) -> ARN {
        ARN(service: "sts", region: "", account: account, resource: "assumed-role/\(role)/\(name)")
    }
}
