import AWSClients
import AWSProtocol
import Artifacts
import Dials
import Foundation
import Glibc
import Kafka
import Logging
import ObjectStore
import Postgres
import ServiceLifecycle
import Telemetry

extension RoleProcess {
    /// The services with the dials around them: the first to start and the last to stop, and what says that it is to stop.
    func dials(_ checks: [DependencyCheck], around services: [any Service]) -> [any Service] {
        let host = values.string("dials.host")
        guard !host.isEmpty else { return services }
        let readiness = Readiness(process: name, checks: checks)
        let file = DialsFile(path: values.string("dials.file"), role: name)
        let server = DialsServer(
            host: host, port: values.integer("dials.port"), readiness: readiness,
            handler: DialsHandler(readiness: readiness, registry: registry), logger: logger,
            onBound: { [logger] port in
                logger.info("dials are served", metadata: ["host": "\(host)", "port": "\(port)"])
                do {
                    try file.write(host: host, port: port)
                } catch {
                    logger.error("the dials' address could not be written", metadata: ["error": "\(error)"])
                }
            })
        return [server] + services + [StopSign(readiness)]
    }

    /// Measures the key leases of the process.
    func watch(_ keeper: KeyLeaseKeeper) {
        registry.beforeRendering { [weak keeper] in
            if let keeper { Measure.replace(.keyLeasesHeld, [([], Double(keeper.heldCount))]) }
        }
    }
}

/// Where a process tells its dials' address: what Prometheus's `file_sd_configs` reads.
private struct DialsFile: Sendable {
    let path: String
    let role: String

    /// Appears whole or not at all. A process that takes the place of this one writes over it.
    func write(host: String, port: Int) throws {
        guard !path.isEmpty else { return }
        let target = host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        let name = URL(fileURLWithPath: path).deletingPathExtension().lastPathComponent
        let labels = JSONObject([("role", .string(role)), ("process", .string(name))])
        let text = JSONValue.array([
            .object(JSONObject([("targets", .array([.string(target)])), ("labels", .object(labels))]))
        ]).serializedString
        try Data((text + "\n").utf8).write(to: URL(fileURLWithPath: path), options: .atomic)
    }
}

extension DependencyCheck {
    /// A session can be had and the server answers on it.
    static func postgres(_ name: String, _ pool: PostgresPool) -> DependencyCheck {
        DependencyCheck("postgres-\(name)") { _ = try await pool.query("SELECT 1") }
    }

    static func kafka(_ producer: KafkaProducer) -> DependencyCheck {
        DependencyCheck("kafka") { try await producer.askBrokers() }
    }

    /// Any answer but a fault of its own: what the server thinks of the caller is not asked.
    static func server(_ name: String, at endpoint: String, by transport: any AWSTransport) -> DependencyCheck {
        DependencyCheck(name) {
            let answer: AWSTransportAnswer
            do {
                answer = try await transport.send(
                    AWSTransportCall(
                        endpoint: endpoint, request: AWSRequest(method: "GET", path: "/healthz", receivedAt: Date()),
                        timeout: Readiness.askedFor, expectsSecret: false))
            } catch {
                throw DependencyFailure("does not answer")
            }
            guard answer.status < 500 else { throw DependencyFailure("answers \(answer.status)") }
        }
    }

    /// - Parameters:
    ///   - directory: where it is one; empty where it is not.
    ///   - isWritten: by this process. Who only reads may have it mounted read-only.
    static func artifacts(_ store: any ObjectStore, directory: String, isWritten: Bool) -> DependencyCheck {
        DependencyCheck("artifacts") {
            // An open folder that was moved away or made read-only still answers.
            if !directory.isEmpty, access(directory, R_OK | X_OK | (isWritten ? W_OK : 0)) != 0 {
                let use = isWritten ? "written" : "read"
                throw DependencyFailure("the directory cannot be \(use): \(String(cString: strerror(errno)))")
            }
            _ = try await store.head(try ObjectKey("artifacts/readiness"))
        }
    }

    static func buckets(directory: String) -> DependencyCheck {
        DependencyCheck("buckets") {
            guard access(directory, R_OK | X_OK) == 0 else {
                throw DependencyFailure("the directory cannot be read: \(String(cString: strerror(errno)))")
            }
        }
    }
}

struct DependencyFailure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
