import Certificates
import Foundation
import Logging
import ServiceLifecycle
import Telemetry

/// Measures how long the certificates that a process uses still hold, and says so while there is time.
struct CertificateWatch: Service {
    let values: ConfigurationValues
    let role: String
    let logger: Logger

    static let interval: Duration = .seconds(60)
    /// How often a certificate that should be renewed is mentioned.
    private static let warningInterval: Duration = .seconds(86_400)

    /// Those of the role, of the authorities it believes, and of its clients.
    private var files: [(setting: String, path: String)] {
        TLSSettings(values).certificateFiles.filter { file in
            !TLSSettings.roles.contains { $0 != role && file.setting.hasPrefix($0 + ".") }
        }
    }

    func run() async throws {
        let service = LoopService {
            var warnedAt: [String: ContinuousClock.Instant] = [:]
            while !Task.isCancelled {
                Measure.replace(
                    .tlsCertificateExpiry,
                    files.compactMap { setting, path in
                        end(of: path, setting, &warnedAt).map { ([("certificate", setting)], $0.timeIntervalSince1970) }
                    })
                try await Task.sleep(for: Self.interval)
            }
        }
        try await service.run()
    }

    /// When it ends; nil where it cannot be read.
    private func end(of path: String, _ setting: String, _ warnedAt: inout [String: ContinuousClock.Instant]) -> Date? {
        let now = Date()
        let facts: [CertificateFacts]
        do { facts = try PEMFile.facts(path) } catch {
            logger.error("a certificate can't be read", metadata: ["setting": "\(setting)", "error": "\(error)"])
            return nil
        }
        // Of a chain or a bundle, what ends first.
        guard let first = facts.min(by: { $0.notAfter < $1.notAfter }) else { return nil }
        guard first.isDue(at: now), warnedAt[setting].map({ $0.duration(to: .now) >= Self.warningInterval }) ?? true else {
            return first.notAfter
        }
        warnedAt[setting] = .now
        logger.warning(
            "a certificate should be renewed; forecastle admin certificates renew does it, and no restart is needed",
            metadata: ["setting": "\(setting)", "days left": "\(Int(first.daysLeft(at: now).rounded(.down)))"])
        return first.notAfter
    }
}
