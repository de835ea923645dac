import AuditTrail
import Foundation
import Logging
import Postgres
import ServiceLifecycle

/// The export of signed heads in an authority's process, as the settings want it.
struct AuditExport: Sendable {
    let pace: ExportPace
    /// Nil where heads are not exported.
    let exporter: HeadsExporter?

    var services: [any Service] { exporter.map { [$0] } ?? [] }

    /// Refuses a server that may forget what it has answered, and settings that cannot work.
    static func begin(_ process: RoleProcess, pool: PostgresPool) async throws -> AuditExport {
        let values = process.values
        let unsafe = try await AuditTrail.unsafeSettings(pool: pool)
        if let setting = unsafe.first {
            guard values.flag("postgres.allow_unsafe") else {
                throw ConfigurationError(
                    key: "authority.postgres",
                    rule: "names a server with \(setting) off, which can lose what was answered; set postgres.allow_unsafe "
                        + "for a test cluster that is thrown away")
            }
            process.logger.warning("the server may lose what was answered", metadata: ["off": "\(unsafe)"])
        }
        let directory = values.string("audit.heads_directory")
        guard !directory.isEmpty else {
            process.logger.warning(
                "audit.heads_directory is not set: nobody will notice if shards or the end of the audit trail are removed")
            return AuditExport(pace: ExportPace(), exporter: nil)
        }
        var isDirectory: ObjCBool = false
        guard FileManager.default.fileExists(atPath: directory, isDirectory: &isDirectory), isDirectory.boolValue else {
            throw ConfigurationError(key: "audit.heads_directory", rule: "is no directory: \(directory)")
        }
        let bound = values.integer("audit.heads_stale_s")
        let pace = ExportPace(bound: bound == 0 ? nil : .seconds(bound))
        let exporter = HeadsExporter(
            pool: pool, pace: pace, directory: directory,
            signer: try KeyFiles.headSigner(at: try values.required("audit.signing_key_file")),
            interval: values.duration(milliseconds: "audit.heads_interval_ms"), logger: process.logger)
        let keys = values.list("audit.verifying_key_files")
        if !keys.isEmpty {
            let evidence = try await HeadsReader.read(
                directory: directory, verifier: try KeyFiles.headVerifier(at: keys), newestOnly: true)
            await exporter.compare(with: evidence)
        }
        return AuditExport(pace: pace, exporter: exporter)
    }
}
