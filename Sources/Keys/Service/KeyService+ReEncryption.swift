package import AWSProtocol
import Policies
import Postgres
import Secrets

/// What ReEncrypt asks for.
package struct ReEncryption: Sendable {
    /// Nil in a dry run that leaves it out; `source` is then required.
    package var ciphertext: [UInt8]?
    package var source: KeyReference?
    package var sourceContext: [String: String]
    package var destination: KeyReference
    package var destinationContext: [String: String]
    package var grantTokens: [String]
    package var isDryRun: Bool

    package init(
        ciphertext: [UInt8]?, source: KeyReference? = nil, sourceContext: [String: String] = [:], destination: KeyReference,
        destinationContext: [String: String] = [:], grantTokens: [String] = [], isDryRun: Bool = false
    ) {
        self.ciphertext = ciphertext
        self.source = source
        self.sourceContext = sourceContext
        self.destination = destination
        self.destinationContext = destinationContext
        self.grantTokens = grantTokens
        self.isDryRun = isDryRun
    }
}

package struct ReEncryptedBytes: Sendable {
    package let sourceARN: ARN
    package let sourceMaterialID: String
    package let destinationARN: ARN
    package let destinationMaterialID: String
    package let ciphertext: [UInt8]
}

extension KeyService {
    /// Opens a blob under the key that it names and seals what was in it under another, or the same with another context. Both keys
    /// are decided about, each for its part; the plaintext stays in locked memory and is wiped.
    package func reEncrypt(_ call: KeyCall, _ request: ReEncryption) async throws(KeyError) -> ReEncryptedBytes {
        try await read(call) { connection in
            for token in request.grantTokens { _ = try self.tokens.grantID(of: token) }
            guard let ciphertext = request.ciphertext else {
                guard let source = request.source, request.isDryRun else {
                    throw KeyError(.validation, "CiphertextBlob and SourceKeyId cannot both be left out.")
                }
                let isSame = try await self.isSameKey(source, request.destination, call, on: connection)
                let from = try await self.decideSide(
                    .reEncryptFrom, source, request.sourceContext, isSame: isSame, call, on: connection)
                _ = try await self.decideDestination(request, from: from, isSame: isSame, call, on: connection)
                throw KeyError.dryRun
            }
            let reading = self.reading(on: connection)
            let blob = try CiphertextBlob(parsing: ciphertext)
            let isSame = try await self.isSameKey(.keyARN(blob.keyARN), request.destination, call, on: connection)
            let from = try await self.keyOfBlob(blob, request.source, call, reading) { reference in
                try await self.decideSide(
                    .reEncryptFrom, reference, request.sourceContext, alias: request.source, isSame: isSame, call, on: connection)
            }
            let to = try await self.decideDestination(request, from: from, isSame: isSame, call, on: connection)
            let opening = try await self.openMaterial(blob.materialID, of: from.key, reading)
            let plaintext = try opening.material.open(blob, context: request.sourceContext)
            // Last, so that a dry run fails on everything that a real one fails on.
            if request.isDryRun { throw KeyError.dryRun }
            let current = Hex.decode(to.key.metadata.currentMaterialID) ?? []
            let sealing = try await self.openMaterial(current, of: to.key, reading)
            let sealed = try plaintext.withUnsafeBytes { try sealing.material.seal($0, context: request.destinationContext) }
            return ReEncryptedBytes(
                sourceARN: from.key.arn, sourceMaterialID: Hex.encode(blob.materialID), destinationARN: to.key.arn,
                destinationMaterialID: to.key.metadata.currentMaterialID, ciphertext: sealed.bytes)
        }
    }

    private func decideDestination(
        _ request: ReEncryption, from: DecidedKey, isSame: Bool, _ call: KeyCall, on connection: PostgresConnection
    ) async throws -> DecidedKey {
        let to = try await decideSide(
            .reEncryptTo, request.destination, request.destinationContext, isSame: isSame, call, on: connection)
        // KMS API reference, ReEncrypt: grants with SourceArn constraints must name the same one on both sides.
        if let source = from.grant, let destination = to.grant, source.sourceARN != destination.sourceARN {
            throw KeyError(.accessDenied, "The grants on source and destination key differ in their SourceArn constraints.")
        }
        return to
    }

    private func decideSide(
        _ side: KeyOperation, _ reference: KeyReference, _ context: [String: String], alias: KeyReference? = nil, isSame: Bool,
        _ call: KeyCall, on connection: PostgresConnection
    ) async throws -> DecidedKey {
        var input = DecisionInput(encryptionContext: context, acceptsAlias: true)
        input.context = Self.aliasCondition(alias ?? reference)
        input.context.set("kms:ReEncryptOnSameKey", isSame)
        return try await decide(call.caller, side, reference, input, concerns: call.concerns, reading: reading(on: connection))
    }

    /// Whether both names mean one key; said to conditions alone, so it tells a caller nothing.
    private func isSameKey(
        _ source: KeyReference, _ destination: KeyReference, _ call: KeyCall, on connection: PostgresConnection
    ) async throws -> Bool {
        let account = call.caller.account
        let from = try await KeyRows.find(source, account: account, region: region, on: connection)
        let to = try await KeyRows.find(destination, account: account, region: region, on: connection)
        return from != nil && from?.keyID == to?.keyID
    }
}
