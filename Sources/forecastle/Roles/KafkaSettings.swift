import CoreFoundation
import Foundation
import Glibc
import Kafka
import Logging

/// How Kafka is reached, as the settings say.
struct KafkaSettings {
    private let values: ConfigurationValues

    init(_ values: ConfigurationValues) { self.values = values }

    static let maximumPasswordBytes = 4096

    private var isEncrypted: Bool { ["ssl", "sasl_ssl"].contains(values.string("kafka.security_protocol")) }
    private var hasPassword: Bool { values.string("kafka.security_protocol").hasPrefix("sasl") }

    /// What must hold of the settings together, whatever the role of the process.
    func check() throws(ConfigurationError) {
        guard values.string("kafka.certificate_file").isEmpty == values.string("kafka.key_file").isEmpty else {
            throw ConfigurationError(key: "kafka.key_file", rule: "and kafka.certificate_file must be set both, or neither")
        }
        let files = ["kafka.ca_file", "kafka.certificate_file"]
        if !isEncrypted, let key = files.first(where: { !values.string($0).isEmpty }) {
            throw ConfigurationError(key: key, rule: "is of no use where kafka.security_protocol is not ssl or sasl_ssl")
        }
        for key in ["kafka.sasl_username", "kafka.sasl_password_file"] where values.string(key).isEmpty == hasPassword {
            throw ConfigurationError(
                key: key,
                rule: hasPassword
                    ? "must be set where kafka.security_protocol is sasl"
                    : "is of no use where kafka.security_protocol is not sasl_ssl")
        }
        if hasPassword, !isEncrypted, values.string("kafka.sasl_mechanism") == "PLAIN" {
            throw ConfigurationError(
                key: "kafka.sasl_mechanism", rule: "must not be PLAIN over sasl_plaintext: it would send the password as it is")
        }
        if values.string("kafka.security_protocol") != "plaintext", !values.string("kafka.bootstrap_file").isEmpty {
            throw ConfigurationError(
                key: "kafka.security_protocol",
                rule: "must be plaintext where kafka.bootstrap_file is set: the embedded broker speaks nothing else")
        }
    }

    func configuration(clientID: String, logger: Logger) throws -> KafkaConfiguration {
        let file = values.string("kafka.bootstrap_file")
        guard file.isEmpty else { return .embedded(bootstrap: .file(file), clientID: clientID) }
        let servers = try values.required("kafka.bootstrap")
        if !isEncrypted, !servers.split(separator: ",").allSatisfy(Self.isLoopback) {
            logger.warning(
                "brokers on other machines are spoken to in plain text; set kafka.security_protocol to ssl or sasl_ssl")
        }
        return KafkaConfiguration(bootstrap: .servers(servers), clientID: clientID, extra: try security())
    }

    /// Settings of librdkafka.
    private func security() throws -> [String: String] {
        let level = values.string("kafka.security_protocol")
        guard level != "plaintext" else { return [:] }
        var settings = ["security.protocol": level]
        if isEncrypted {
            // Debian's librdkafka 2.0 has it on; it must not depend on a default.
            settings["ssl.endpoint.identification.algorithm"] = "https"
            settings["enable.ssl.certificate.verification"] = "true"
            let files = [
                ("ssl.ca.location", "kafka.ca_file"), ("ssl.certificate.location", "kafka.certificate_file"),
                ("ssl.key.location", "kafka.key_file"),
            ]
            for (name, key) in files where !values.string(key).isEmpty { settings[name] = values.string(key) }
        }
        if hasPassword {
            settings["sasl.mechanism"] = values.string("kafka.sasl_mechanism")
            settings["sasl.username"] = values.string("kafka.sasl_username")
            settings["sasl.password"] = try password()
        }
        return settings
    }

    /// librdkafka keeps the password in memory of its own, not locked and not wiped.
    private func password() throws -> String {
        let key = "kafka.sasl_password_file"
        let path = values.string(key)
        var status = stat()
        guard stat(path, &status) == 0, status.st_mode & 0o077 == 0 else {
            throw ConfigurationError(key: key, rule: "names a file that is missing or can be read by others: \(path)")
        }
        guard status.st_size <= Self.maximumPasswordBytes, let data = FileManager.default.contents(atPath: path),
            let text = String(validating: data, as: UTF8.self)
        else { throw ConfigurationError(key: key, rule: "names a file that can't be read: \(path)") }
        let password = text.trimmingCharacters(in: .newlines)
        guard !password.isEmpty else { throw ConfigurationError(key: key, rule: "names an empty file: \(path)") }
        return password
    }

    private static func isLoopback(_ server: Substring) -> Bool {
        let server = server.trimmingCharacters(in: .whitespaces)
        return ["127.", "localhost:", "[::1]:"].contains { server.hasPrefix($0) }
    }
}
