import AWSClients
import AWSProtocol
import Certificates
import Foundation
import Logging
import TransportSecurity

/// Certificates in use and what is wrong with them, for `doctor`.
struct TLSReport {
    private(set) var lines: [(name: String, finding: String)] = []
    private(set) var problems: [String] = []

    /// Longest wait for the authority.
    static let probeTimeout: Duration = .seconds(5)

    static func make(_ values: ConfigurationValues) async -> TLSReport {
        var report = TLSReport()
        let settings = TLSSettings(values)
        // Each process of an installation with certificates is given its own alone.
        let has = values.string("tls.ca_file").isEmpty ? "plain text, on this machine only" : "no certificate in these settings"
        for role in ["api", "authority"] where !settings.isOn(role) { report.lines.append((role, has)) }
        for (setting, path) in settings.certificateFiles { report.add(setting, path) }
        for (setting, path) in settings.keyFiles {
            let certificate = values.string(setting.replacing("key_file", with: "certificate_file"))
            report.check { _ in try PEMFile.checkPair(certificate: certificate, key: path) }
        }
        for role in TLSSettings.roles where settings.isOn(role) { report.checkRole(role, values) }
        if values.flag("postgres.allow_unencrypted") {
            report.lines.append(
                (
                    "postgres.allow_unencrypted",
                    "true: databases on other machines are reached without TLS, or without knowing whom"
                ))
        }
        await report.probe(values)
        return report
    }

    private mutating func add(_ setting: String, _ path: String) {
        let now = Date()
        check { report in
            for facts in try PEMFile.facts(path) {
                let names = facts.names.isEmpty ? "" : ", for \(facts.names.map(\.description).joined(separator: " "))"
                let days = Int(facts.daysLeft(at: now).rounded(.down))
                report.lines.append(
                    (
                        setting,
                        "\(facts.identity?.uri ?? facts.subject)\(names), until \(Self.day(facts.notAfter)), \(days) days left"
                    ))
                if facts.notAfter <= now {
                    report.problems.append(
                        "\(setting): the certificate in \(path) has expired; forecastle admin certificates renew")
                } else if facts.isDue(at: now) {
                    report.problems.append(
                        "\(setting): the certificate in \(path) has \(days) days left; forecastle admin certificates renew")
                }
            }
        }
    }

    private mutating func checkRole(_ role: String, _ values: ConfigurationValues) {
        let (path, authorities) = (values.string("\(role).tls_certificate_file"), values.string("tls.ca_file"))
        check { report in
            let identity = try PEMFile.facts(path)[0].identity
            // Customers believe what they like, such as a public authority; the installation's own processes do not.
            let mustBeOurs = role != "api" || values.string("authority.endpoint").hasPrefix("https://")
            guard mustBeOurs else { return }
            if identity?.role != role {
                report.problems.append(
                    "\(role).tls_certificate_file: \(path) is not for \(ProcessIdentity(role: role)?.uri ?? role)")
            }
            if !authorities.isEmpty, try !PEMFile.isSigned(path, byOneOf: authorities) {
                report.problems.append("\(role).tls_certificate_file: none of the authorities in \(authorities) signed \(path)")
            }
        }
    }

    /// One handshake with the authority. Where nobody answers there is nothing to say about TLS.
    private mutating func probe(_ values: ConfigurationValues) async {
        let endpoint = values.string("authority.endpoint")
        let settings = TLSSettings(values)
        guard endpoint.hasPrefix("https://"), let role = ["api", "worker"].first(where: settings.isOn) else { return }
        do {
            let transport = try settings.transport(role, logger: Logger(label: "doctor") { _ in SwiftLogNoOpLogHandler() })
            let request = AWSRequest(method: "GET", path: "/healthz", receivedAt: Date())
            _ = try await transport.send(AWSTransportCall(endpoint: endpoint, request: request, timeout: Self.probeTimeout))
            lines.append(("authority.endpoint", "the \(role)'s certificate and the authority's were taken"))
        } catch let error as TransportSecurityError {
            problems.append("\(role).tls_certificate_file: \(error)")
        } catch {
            if let explanation = TLSFailure.explanation(of: error) { problems.append("authority.endpoint: \(explanation)") }
        }
    }

    private mutating func check(_ body: (inout TLSReport) throws -> Void) {
        do { try body(&self) } catch { problems.append("\(error)") }
    }

    private static func day(_ date: Date) -> String { date.formatted(.iso8601.year().month().day()) }
}
