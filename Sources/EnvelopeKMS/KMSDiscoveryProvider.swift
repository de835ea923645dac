package import AWSProtocol
package import Envelope
package import Secrets

/// Opens with whichever KMS key a message names, as far as the caller may use it: for people at a terminal. It makes no
/// data keys.
///
/// A message's author chooses which keys are asked, and thereby in which account a call leaves a trace; the filter keeps
/// that to accounts one knows. Jobs never use this: they name the one key of their grant, and expect it of the message.
package struct KMSDiscoveryProvider: DataKeyProvider {
    package typealias Client = @Sendable (_ keyARN: ARN) throws -> any KMSDataKeys

    private let partition: String
    private let accounts: Set<String>?
    private let client: Client

    /// - Parameters:
    ///   - accounts: whose keys may be asked; `nil` for anybody's.
    ///   - client: gives the client for a key's partition and region, which are the message's word.
    package init(partition: String = "aws", accounts: Set<String>?, client: @escaping Client) {
        self.partition = partition
        self.accounts = accounts
        self.client = client
    }

    package func generate(context: EncryptionContext) async throws -> GeneratedDataKey {
        throw EnvelopeError.invalidInput("Sealing needs the ARN of a key; discovery opens only.")
    }

    /// Tries the data keys of all KMS keys that the filter lets pass, in the message's order; errors as of
    /// `KMSDataKeyProvider`.
    package func open(_ keys: [EncryptedDataKey], context: EncryptionContext) async throws -> SharedSecret {
        var refusal = KMSRefusal()
        for key in keys {
            guard let text = key.kmsKeyARN, let arn = ARN(text), passes(arn) else { continue }
            do {
                return try await client(arn).open(key, keyARN: text, context: context, grantTokens: [])
            } catch {
                try refusal.note(error)
            }
        }
        throw refusal.outcome
    }

    /// Keys alone: an alias could name another key tomorrow.
    private func passes(_ arn: ARN) -> Bool {
        arn.service == "kms" && arn.resourceType == "key" && arn.partition == partition
            && (accounts?.contains(arn.account) ?? true)
    }
}
