package import AWSProtocol
package import Secrets

package import struct FoundationEssentials.Date
package import struct FoundationEssentials.UUID

/// A virtual MFA device, without its seed.
package struct MFADeviceEntity: Sendable, Hashable {
    package let deviceID: UUID
    package let account: String
    package let path: String
    package let name: String
    package let tags: IdentityTags
    /// Whose second factor it is; nil before it is enabled.
    package let userName: String?
    package let enabledAt: Date?

    /// The serial number.
    package var arn: ARN { .mfaDevice(account: account, path: path, name: name) }
}

/// A new device whose row is not written yet. The seed is shown once.
package struct PreparedMFADevice: Sendable {
    package let deviceID: UUID
    package let seed: SharedSecret
    let sealed: [UInt8]
}
