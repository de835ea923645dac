/// A message's data key as one key provider encrypted it.
package struct EncryptedDataKey: Sendable, Hashable {
    /// `aws-kms` for KMS; the key namespace of a raw key.
    package let providerID: String
    /// KMS: UTF-8 of the key's ARN. Raw AES: key name · tag bits (4) · IV bytes (4) · IV.
    package let providerInfo: [UInt8]
    package let ciphertext: [UInt8]

    package static let kmsProviderID = "aws-kms"

    package init(providerID: String, providerInfo: [UInt8], ciphertext: [UInt8]) {
        self.providerID = providerID
        self.providerInfo = providerInfo
        self.ciphertext = ciphertext
    }

    /// The key ARN that a key of KMS was encrypted under.
    package var kmsKeyARN: String? {
        providerID == Self.kmsProviderID ? String(validating: providerInfo, as: UTF8.self) : nil
    }
}
