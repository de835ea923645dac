import AWSProtocol
package import Envelope
package import Secrets

/// A data-key provider under a key lease: no data key is asked for without it, each that comes is registered with it, and a
/// refusal ends it. What is thrown then says which artifact, key and role it was.
package struct LeasedDataKeyProvider: DataKeyProvider {
    private let provider: any DataKeyProvider
    private let keyARN: String
    private let lease: KeyLease

    package init(_ provider: any DataKeyProvider, keyARN: String, lease: KeyLease) {
        self.provider = provider
        self.keyARN = keyARN
        self.lease = lease
    }

    package func generate(context: EncryptionContext) async throws -> GeneratedDataKey {
        try lease.check()
        let askedAt = lease.now
        let key = try await asking { try await provider.generate(context: context) }
        try adopt(key.secret, key.encrypted, context, askedAt: askedAt)
        return key
    }

    package func open(_ keys: [EncryptedDataKey], context: EncryptionContext) async throws -> SharedSecret {
        try lease.check()
        let askedAt = lease.now
        let secret = try await asking { try await provider.open(keys, context: context) }
        try adopt(secret, keys, context, askedAt: askedAt)
        return secret
    }

    private func asking<R>(_ body: () async throws -> R) async throws -> R {
        do {
            return try await body()
        } catch let error as AWSError {
            guard let refusal = KeyRefusal(error) else { throw error }
            try lease.refused(refusal)
        }
    }

    private func adopt(
        _ secret: SharedSecret, _ keys: [EncryptedDataKey], _ context: EncryptionContext, askedAt: Duration
    ) throws {
        if let key = keys.first(where: { $0.kmsKeyARN == keyARN }) {
            let subject = KeyLeaseSubject(ciphertext: key.ciphertext, keyARN: keyARN, context: context)
            lease.adopt(subject, askedAt: askedAt)
        }
        try lease.register(secret)
    }
}
