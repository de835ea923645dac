package import Secrets

/// Several recipients of one message: any of them can open it. The first one's provider makes the data key, the others
/// encrypt it for theirs.
package struct MultiKeyring: DataKeyProvider {
    private let generator: any DataKeyProvider
    private let others: [any DataKeyProvider]

    package init(generator: any DataKeyProvider, others: [any DataKeyProvider]) {
        self.generator = generator
        self.others = others
    }

    /// A message that one recipient cannot open is not made: the first failure is thrown.
    package func generate(context: EncryptionContext) async throws -> GeneratedDataKey {
        let key = try await generator.generate(context: context)
        do {
            var encrypted = key.encrypted
            for other in others { encrypted += try await other.wrap(key.secret, context: context) }
            return GeneratedDataKey(secret: key.secret, encrypted: encrypted)
        } catch {
            key.secret.wipe()
            throw error
        }
    }

    package func wrap(_ dataKey: SharedSecret, context: EncryptionContext) async throws -> [EncryptedDataKey] {
        var encrypted: [EncryptedDataKey] = []
        for provider in [generator] + others { encrypted += try await provider.wrap(dataKey, context: context) }
        return encrypted
    }

    /// The first provider that opens one of the keys. Where none does, the first refusal that is not a mere mismatch is told.
    package func open(_ keys: [EncryptedDataKey], context: EncryptionContext) async throws -> SharedSecret {
        var refusal: any Error = EnvelopeError.authentication
        for provider in [generator] + others {
            do {
                return try await provider.open(keys, context: context)
            } catch let error as CancellationError {
                throw error
            } catch {
                if refusal as? EnvelopeError == .authentication { refusal = error }
            }
        }
        throw refusal
    }
}
