package import AWSProtocol

package import struct FoundationEssentials.Date

/// A managed policy as it is listed.
package struct ManagedPolicyEntity: Sendable, Hashable {
    package let policyID: String
    package let account: String
    package let path: String
    package let name: String
    package let description: String
    package let defaultVersion: Int
    /// Users, groups and roles that it is attached to.
    package let attachments: Int
    /// Users and roles that it bounds.
    package let boundaries: Int
    package let createdAt: Date
    package let updatedAt: Date
    package let tags: IdentityTags

    package var arn: ARN { .policy(account: account, path: path, name: name) }
}

/// A version of a managed policy.
package struct PolicyVersionEntity: Sendable, Hashable {
    package let number: Int
    /// JSON as it was put.
    package let document: String
    package let isDefault: Bool
    package let createdAt: Date

    /// `v1`
    package var versionID: String { "v\(number)" }

    /// Nil for what is no version's name.
    package static func number(of versionID: String) -> Int? {
        guard versionID.hasPrefix("v"), let number = Int32(versionID.dropFirst()), number > 0, "v\(number)" == versionID else {
            return nil
        }
        return Int(number)
    }
}

/// A managed policy that is to be made.
package struct NewPolicy: Sendable {
    package var name: String
    package var path: String
    /// JSON.
    package var document: String
    package var description: String
    package var tags: IdentityTags

    package init(name: String, path: String = "/", document: String, description: String = "", tags: IdentityTags = .none) {
        self.name = name
        self.path = path
        self.document = document
        self.description = description
        self.tags = tags
    }
}
