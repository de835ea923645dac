import AWSClients
import AWSProtocol
import AWSServer
import Certificates
import Foundation
import Logging
import ServiceLifecycle
import Testing
import TransportSecurity

/// An installation's certificates and those of another one, and servers that use them.
struct TLSWorld: Sendable {
    let ours: CertificateFolder
    let others: CertificateFolder

    static func with(_ body: (TLSWorld) async throws -> Void) async throws {
        let path = FileManager.default.temporaryDirectory.path + "/tls-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: path) }
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        let world = TLSWorld(ours: CertificateFolder(path + "/ours"), others: CertificateFolder(path + "/others"))
        for folder in [world.ours, world.others] {
            try folder.makeAuthority(now: Date())
            try world.issue(.authority, in: folder)
            for identity in [ProcessIdentity.api, .worker] { try world.issue(identity, names: [], in: folder) }
        }
        try await body(world)
    }

    /// - Parameter seconds: negative for a certificate that has expired.
    func issue(
        _ identity: ProcessIdentity, as name: String? = nil, names: [String] = ["127.0.0.1"], seconds: Double = 3600,
        in folder: CertificateFolder? = nil
    ) throws {
        try (folder ?? ours).issue(
            identity, as: name ?? identity.role, names: names.map { try CertificateName($0) }, seconds: seconds, now: Date())
    }

    func files(_ name: String, in folder: CertificateFolder? = nil, authorities: CertificateFolder? = nil) -> TLSFiles {
        let folder = folder ?? ours
        return TLSFiles(
            certificate: folder.certificate(name), key: folder.key(name), authorities: (authorities ?? ours).authority)
    }

    func server(_ name: String = "authority", in folder: CertificateFolder? = nil) throws -> ServerTLS {
        try ServerTLS(files(name, in: folder), interval: .zero, logger: quiet)
    }

    /// A client that believes our authority, and shows a certificate where one is named.
    func client(_ name: String? = nil, in folder: CertificateFolder? = nil) throws -> HTTPTransport {
        let chosen = name.map { self.files($0, in: folder) } ?? TLSFiles(authorities: ours.authority)
        return HTTPTransport(tls: try ClientTLS(chosen, interval: .zero, logger: quiet))
    }
}

let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

/// What a server saw of a request.
struct Seen: Equatable {
    var isSecure: Bool
    var peer: String?
}

private struct EchoHandler: AWSRequestHandler {
    func respond(to request: AWSRequest, requestID: String) async -> AWSResponse {
        .json(["Secure": .bool(request.isSecureTransport), "Peer": .string(request.peer?.uri ?? "")])
    }
}

func withServer<R: Sendable>(
    _ tls: ServerTLS?, bounds: AWSServerBounds = .init(), _ body: @Sendable (Int) async throws -> R
) async throws -> R {
    let (ports, bound) = AsyncStream.makeStream(of: Int.self)
    let server = AWSServer(
        configuration: .init(tls: tls, bounds: bounds), handler: EchoHandler(), logger: quiet,
        onBound: {
            bound.yield($0)
            bound.finish()
        })
    let services = ServiceGroup(configuration: .init(services: [.init(service: server)], logger: quiet))
    return try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await services.run() }
        var iterator = ports.makeAsyncIterator()
        let port = try #require(await iterator.next())
        let result: Result<R, any Error>
        do { result = .success(try await body(port)) } catch { result = .failure(error) }
        // In order: a connection that comes while a server is cancelled has nobody left to close it.
        await services.triggerGracefulShutdown()
        try await group.waitForAll()
        return try result.get()
    }
}

func call(_ transport: any AWSTransport, _ endpoint: String) async throws -> Seen {
    let request = AWSRequest(headers: [("Host", "h")], receivedAt: Date())
    let answer = try await transport.send(.init(endpoint: endpoint, request: request, timeout: .seconds(60)))
    guard case .bytes(let bytes) = answer.body, answer.status == 200 else { throw Refused(status: answer.status) }
    let object = try JSONObject.parseBody(bytes)
    let peer = object["Peer"]?.stringValue ?? ""
    return Seen(isSecure: object["Secure"] == .bool(true), peer: peer.isEmpty ? nil : peer)
}

struct Refused: Error { let status: Int }

/// Why a call failed, in the words that a person gets.
func refusal(_ transport: any AWSTransport, _ endpoint: String) async -> String {
    do {
        return "nothing was refused: \(try await call(transport, endpoint))"
    } catch {
        return TLSFailure.explanation(of: error) ?? "not explained: \(error)"
    }
}

/// A logger from which a test reads what was said, with its metadata.
struct ToldLog: LogHandler {
    let told: AsyncStream<String>.Continuation
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.info

    static func make() -> (logger: Logger, messages: AsyncStream<String>) {
        let (messages, told) = AsyncStream.makeStream(of: String.self)
        return (Logger(label: "tls tests") { _ in ToldLog(told: told) }, messages)
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) { told.yield("\(event.message) \(event.metadata ?? [:])") }
}
