import AWSClients
import AWSProtocol
import ArgumentParser
import Foundation

/// `forecastle health URL`: whether a process answers, for container engines: their images have no curl and no shell.
struct Health: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Ask a process whether it is well.",
        discussion: """
            http://127.0.0.1:PORT/healthz asks whether it lives, /readyz whether it can work; tcp://127.0.0.1:PORT only whether \
            something accepts connections. Exit codes: 0 yes, 1 no or no answer in time.
            """)

    @Argument(help: "http://HOST:PORT/PATH, or tcp://127.0.0.1:PORT.")
    var url: String

    @Option(help: ArgumentHelp("Longest wait for the answer.", valueName: "seconds"))
    var timeout = 3

    func validate() throws {
        guard (1...60).contains(timeout) else { throw ValidationError("--timeout must be 1 to 60 seconds") }
        guard let parsed = URLComponents(string: url), ["http", "https", "tcp"].contains(parsed.scheme), let host = parsed.host
        else { throw ValidationError("URL must be http://HOST:PORT/PATH or tcp://127.0.0.1:PORT") }
        guard parsed.scheme != "tcp" || (host == "127.0.0.1" && parsed.port != nil) else {
            throw ValidationError("tcp:// takes 127.0.0.1 and a port")
        }
    }

    func run() async throws {
        try await CommandFailure.reporting { try await ask() }
    }

    private func ask() async throws {
        guard let parsed = URLComponents(string: url), let scheme = parsed.scheme, let host = parsed.host else { return }
        if scheme == "tcp" {
            guard LoopbackPort.accepts(parsed.port ?? 0) else { throw CommandFailure("\(url) accepts no connection.", .failure) }
            return
        }
        let call = AWSTransportCall(
            endpoint: "\(scheme)://\(host)" + (parsed.port.map { ":\($0)" } ?? ""),
            request: AWSRequest(
                method: "GET", path: parsed.percentEncodedPath.isEmpty ? "/" : parsed.percentEncodedPath, receivedAt: Date()),
            timeout: .seconds(timeout))
        let answer: AWSTransportAnswer
        do {
            answer = try await HTTPTransport(connectTimeout: .seconds(timeout)).send(call)
        } catch {
            throw CommandFailure("\(url) does not answer: \(error)", .failure)
        }
        guard (200..<300).contains(answer.status) else {
            throw CommandFailure("\(url) answers \(answer.status).", .failure)
        }
    }
}
