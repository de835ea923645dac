package import AWSProtocol

package import struct FoundationEssentials.Date

/// A key as CreateKey and DescribeKey show it. What is the same for every key here (usage, spec, origin) is not kept.
package struct KeyMetadata: Sendable, Equatable {
    package var keyID: String
    package var arn: ARN
    package var description: String
    package var state: KeyState
    package var createdAt: Date
    package var deletionAt: Date?
    package var deletionWindowDays: Int?
    /// 64 hexadecimal digits.
    package var currentMaterialID: String

    package var account: String { arn.account }

    package static let keySpec = "SYMMETRIC_DEFAULT"
    package static let keyUsage = "ENCRYPT_DECRYPT"
    package static let origin = "AWS_KMS"
    package static let encryptionAlgorithm = "SYMMETRIC_DEFAULT"
}
