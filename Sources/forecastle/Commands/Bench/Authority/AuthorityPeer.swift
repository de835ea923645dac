import AWSProtocol
import Foundation
import Glibc
import Secrets

/// moto's server, where it is installed: it answers KMS and STS without signatures, policies, durability or a trail.
struct AuthorityPeer: Sendable {
    let load: AuthorityLoad
    let version: String
    private let child: ChildProcess

    /// - Parameter program: `moto_server`.
    static func start(program: String, folder: BenchFolder) async throws -> AuthorityPeer {
        let port = try LoopbackPort.free(preferring: nil)
        let child = try await ChildProcess.start(
            name: "moto", executable: program, arguments: ["-H", "127.0.0.1", "-p", "\(port)"],
            environment: ProcessInfo.processInfo.environment, log: folder.file("moto.log"))
        do {
            let deadline = ContinuousClock.now + EmbeddedCluster.readyTimeout
            while !LoopbackPort.accepts(port) {
                guard !child.hasEnded, ContinuousClock.now < deadline else {
                    throw CommandFailure("moto did not start; its log: \(folder.file("moto.log"))", MessageExit.noInput)
                }
                try await Task.sleep(for: .milliseconds(50))
            }
            let credentials = AWSCredentials(accessKeyID: "AKIAAAAAAAAAAAAAAAAA", secretAccessKey: Redacted("moto"))
            let signer = LoadSigner(credentials: credentials, region: AuthorityBenchCluster.region, port: port)
            let load = try await AuthorityLoad.prepare(
                tool: "moto", title: "moto server", generator: LoadGenerator(port: port, signer: signer), process: child.pid,
                role: "arn:aws:iam::\(EmbeddedCluster.customer):role/\(AuthorityBenchCluster.role)")
            return AuthorityPeer(load: load, version: await version(beside: program, folder: folder), child: child)
        } catch {
            await child.stop(grace: .seconds(2))
            throw error
        }
    }

    func stop() async { await child.stop(grace: .seconds(2)) }

    private static func version(beside program: String, folder: BenchFolder) async -> String {
        let output = folder.file("moto-version")
        let process = MeasuredProcess(
            executable: URL(filePath: program).deletingLastPathComponent().path + "/python",
            arguments: ["-c", "from importlib.metadata import version; print('moto', version('moto'))"],
            output: .file(output), log: folder.file("log"))
        guard (try? await process.run()) != nil, let text = try? String(contentsOfFile: output, encoding: .utf8) else {
            return "moto"
        }
        return text.trimmingCharacters(in: .whitespacesAndNewlines)
    }
}
