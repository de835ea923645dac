import AWSClients
package import AWSProtocol
package import Artifacts
import Envelope
import EnvelopeKMS
import Forecasting
import FoundationEssentials
package import Jobs
package import ObjectStore
import TimeSeries

/// Reads out of artifacts for the API, each under a reading grant of this process that lives for a minute.
///
/// Whether the caller may use the key was decided before; this is the service's own access.
package struct ArtifactQueries: ArtifactQuerying {
    private let readGrants: ReadGrants
    private let roles: RoleSessions
    private let keeper: KeyLeaseKeeper
    private let artifacts: any ObjectStore
    private let process: String

    package init(
        readGrants: ReadGrants, roles: RoleSessions, keeper: KeyLeaseKeeper, artifacts: any ObjectStore, process: String
    ) {
        self.readGrants = readGrants
        self.roles = roles
        self.keeper = keeper
        self.artifacts = artifacts
        self.process = process
    }

    package func importStatistics(
        _ artifact: ArtifactInput, account: String
    ) async throws -> (fields: JSONObject, gigabytes: Double) {
        try await reading(artifact, account: account) { reader in
            let sections = reader.manifest.sections
            let bytes = sections["counts"]?["bytes"]?.doubleValue ?? 0
            return (sections["statistics"]?.objectValue ?? [:], bytes / ImportManifest.bytesInGigabyte)
        }
    }

    package func evaluationResults(_ artifact: ArtifactInput, account: String) async throws -> [JSONValue] {
        try await reading(artifact, account: account) { $0.manifest.sections["evaluation"]?.arrayValue ?? [] }
    }

    package func predictions(
        _ artifact: ArtifactInput, account: String, filters: [String: String], start: Int64?, end: Int64?
    ) async throws -> JSONObject {
        try await reading(artifact, account: account) { reader in
            let names = reader.manifest.sections["settings"]?["keyNames"]?.arrayValue?.compactMap(\.stringValue) ?? []
            let wanted = try SeriesFilter(filters, keyNames: names)
            var found: [(key: ItemKey, payload: [UInt8])] = []
            for index in reader.manifest.chunks.indices {
                let chunk = try await reader.chunk(index)
                let partition = try await chunk.index(.forecastValues).partition(of: ItemKey(itemID: wanted.item))
                guard !partition.bytes.isEmpty else { continue }
                found += try KeyedPartition.records(in: try await chunk.readWhole(partition.bytes), where: wanted.matches)
            }
            return try PredictionsAnswer.json(try ForecastValues(decoding: try wanted.one(of: found)), start: start, end: end)
        }
    }

    /// Opens the manifest under the reading grant and lets go of the key afterwards: between requests no key and no value from
    /// the data stays in memory.
    private func reading<R: Sendable>(
        _ artifact: ArtifactInput, account: String, _ body: @escaping @Sendable (ArtifactReader) async throws -> R
    ) async throws -> R {
        let terms = GrantTerms(artifact: artifact.key, use: .read, account: account)
        do {
            let grant = try await readGrants.grant(terms.intent(.reader, session: process, roles)) { record in
                try await GrantMaker(roles: roles).create(
                    record,
                    RoleSessions.Purpose(
                        sessionName: "forecast-\(terms.artifactName)", sourceARN: artifact.key.resource, sourceAccount: account,
                        sourceAddress: RoleSessions.Purpose.service, userAgent: RoleSessions.Purpose.service))
            }
            let access = ArtifactAccess(
                scope: try ArtifactScope(account: account, resource: artifact.key.resource, incarnation: terms.artifactName),
                keyARN: artifact.key.keyARN, roleARN: artifact.key.roleARN,
                kms: roles.kms(.reader, session: process, at: roles.place(roleARN: artifact.key.roleARN)),
                grantTokens: grant.token.map { [$0] } ?? [], keeper: keeper)
            defer { access.release() }
            return try await withKeyLeases([access.lease]) {
                try await body(try await ArtifactReader.open(try artifact.reference, store: artifacts, access: access))
            }
        } catch {
            // A grant that was revoked must not be handed out for the rest of its minute.
            if QueryErrors.isDenied(error) { try? await readGrants.forget(terms.artifactName) }
            throw QueryErrors.awsError(error, key: artifact.key.keyARN)
        }
    }
}
