import Foundation
import Keys
import Logging
import Postgres

/// Vault, root key and security epoch as `doctor` prints them. Needs no root key, changes nothing.
struct VaultReport {
    private(set) var lines: [(name: String, finding: String)] = []
    private(set) var problems: [String] = []

    static func make(_ values: ConfigurationValues) async -> VaultReport {
        var report = VaultReport()
        let directories = values.list("authority.vault_directory")
        guard !directories.isEmpty else { return report }
        do {
            let replicas = try await Vault.inspect(directories)
            report.add(replicas)
            let file = values.string("authority.root_key_file")
            if try await RootKeyFiles(file: file).versions().isEmpty {
                report.problems.append("authority.root_key_file: \(file) is missing")
            }
            let key = values.connectionKey(.authority, for: .reader)
            guard !values.string(key).isEmpty else { return report }
            let pool = PostgresPool(
                configuration: try values.postgres(key, applicationName: "forecastle doctor"),
                logger: Logger(label: "doctor") { _ in SwiftLogNoOpLogHandler() })
            defer { pool.close() }
            report.add(try await SecuritySurvey.take(replicas, pool: pool), replicas)
        } catch is PostgresError {
            // The database's own line says so.
        } catch {
            report.problems.append("authority.vault_directory: \(error)")
        }
        return report
    }

    private mutating func add(_ replicas: [ReplicaReport]) {
        for replica in replicas {
            let number = replica.number.map { "replica \($0)" } ?? "replica"
            let counts = "\(replica.secrets) secrets, \(replica.tombstones) tombstones"
            lines.append((number, "\(replica.directory): \(replica.state.rawValue), \(counts)"))
            if replica.state != .there {
                problems.append("authority.vault_directory: \(replica.directory) \(Self.what(replica.state))")
            }
        }
        if let noted = replicas.compactMap(\.noted).reduce(nil as SecurityState?, { $0?.merged(with: $1) ?? $1 }) {
            lines.append(("noted by the vault", Self.text(noted)))
        }
    }

    private mutating func add(_ survey: SecuritySurvey, _ replicas: [ReplicaReport]) {
        lines.append(("database", Self.text(survey.state)))
        for version in survey.rootKeys { lines.append(("root key version \(version.version)", version.state.rawValue)) }
        if survey.rootKeys.contains(where: { $0.state == .retiring }) {
            problems.append("authority.root_key_file: a rotation is under way; `forecastle admin rotate-root-key` finishes it")
        }
        lines.append(("keys to be destroyed", "\(survey.deletionsPending) wait for a replica to confirm"))
        if survey.deletionsPending > 0 {
            problems.append(
                "authority.vault_directory: \(survey.deletionsPending) deleted keys are not destroyed in every replica yet")
        }
        if case .behind(let findings) = survey.verdict {
            problems += findings.prefix(5).map { "authority.postgres: \($0)" }
            problems.append("authority.postgres: the database is older than its vault; see `forecastle admin restore`")
        }
        if let bound = survey.vault, let vault = replicas.lazy.compactMap(\.vault).first, bound != vault {
            problems.append("authority.vault_directory: the database belongs to another vault")
        }
    }

    private static func text(_ state: SecurityState) -> String {
        let head = state.heads.first.map { ", last head \($0.shard.uuidString.lowercased()) at \($0.sequence)" } ?? ""
        return "incarnation \(state.incarnation), epoch \(state.epoch), \(state.records) audit records\(head)"
    }

    private static func what(_ state: ReplicaReport.State) -> String {
        switch state {
        case .there: "is there"
        case .away: "is away: not mounted, or never made a replica (`forecastle admin vault repair --add`)"
        case .readOnly, .foreign, .unreadable: state.rawValue
        }
    }
}
