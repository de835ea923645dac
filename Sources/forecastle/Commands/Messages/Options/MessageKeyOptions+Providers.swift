import AWSProtocol
import ArgumentParser
import Envelope
import EnvelopeKMS

extension MessageKeyOptions {
    /// Every key that was named is a recipient; the first makes the data key.
    func sealingProvider(backend: any CipherBackend) throws -> any DataKeyProvider {
        try Self.together(try recipients().map(providing(backend)))
    }

    /// Any key that was named opens. Key files are tried first: they cost no call.
    func openingProvider(_ discovery: DiscoveryOptions, backend: any CipherBackend) throws -> any DataKeyProvider {
        let named = recipients()
        let ordered = named.filter(\.isFile) + named.filter { !$0.isFile }
        var providers = try ordered.map(providing(backend))
        if discovery.isOn { providers.append(try discovery.provider()) }
        return try Self.together(providers)
    }

    private static func together(_ providers: [any DataKeyProvider]) throws -> any DataKeyProvider {
        guard let first = providers.first else { throw CommandFailure("No key was named.", .validationFailure) }
        return providers.count == 1 ? first : MultiKeyring(generator: first, others: Array(providers.dropFirst()))
    }

    private func providing(_ backend: any CipherBackend) throws -> (Recipient) throws -> any DataKeyProvider {
        let kms = kmsKeys.isEmpty ? nil : try KMSAccess()
        return { recipient in
            switch recipient {
            case .rawKey(let file, let namespace, let name):
                return try RawAESKeyring(
                    namespace: namespace, name: name, wrappingKey: try KeyFile.read(file), backend: backend)
            case .kmsKey(let text):
                let arn = try Self.keyARN(text)
                guard let kms else { preconditionFailure("Clients of KMS are made where a KMS key is named.") }
                return KMSDataKeyProvider(
                    kms: try kms.client(partition: arn.partition, region: arn.region), keyARN: text)
            }
        }
    }
}

extension MessageKeyOptions.Recipient {
    fileprivate var isFile: Bool {
        if case .rawKey = self { return true }
        return false
    }
}
