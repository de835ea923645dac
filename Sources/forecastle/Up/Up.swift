import AWSProtocol
import ArgumentParser
import AuthorityAPI
import Foundation
import Glibc
import Logging
import Postgres
import UnixSignals

/// `forecastle up`: the embedded cluster, all roles as child processes on one machine.
struct Up: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run PostgreSQL, the development broker, authority, API and workers on this machine.",
        discussion:
            "Everything is kept in one folder. Settings that are given as flags reach every process. deploy/up calls this.")

    enum Part: String, ExpressibleByArgument, CaseIterable {
        case everything, authority, postgres
    }

    @Option(help: "Folder in which the cluster keeps everything.")
    var data: String

    @Option(help: "Worker processes.")
    var workers = 1

    @Option(help: "everything, the authority with what it needs, or postgres alone for tests.")
    var only = Part.everything

    @Flag(
        inversion: .prefixedNo,
        help: "Encrypt between clients, API, workers and authority, with certificates of the folder's own.")
    var tls = true

    @Flag(
        help: ArgumentHelp(
            "PostgreSQL writes without waiting for the disk; for tests, whose data may be lost.", visibility: .hidden))
    var throwaway = false

    @Option(help: ArgumentHelp("Fault points of the first worker, POINT=ACTION; for tests.", visibility: .hidden))
    var faultyWorker: String?

    @Flag(help: "Put a fault proxy into every connection and take orders of forecastle chaos inject; never in production.")
    var faultProxies = false

    @Option(
        name: .customLong("fault-proxy"),
        help: ArgumentHelp("One more fault proxy on a free port, with --fault-proxies. Repeatable.", valueName: "name=host:port"))
    var otherFaultProxies: [String] = []

    func validate() throws {
        guard faultProxies || otherFaultProxies.isEmpty else { throw ValidationError("--fault-proxy goes with --fault-proxies") }
    }

    func run() async throws {
        let folder = DataFolder(data)
        try folder.create()
        let lock = try folder.lock()
        defer { close(lock) }
        try? FileManager.default.removeItem(atPath: folder.ready)
        try folder.write("\(getpid())\n", to: folder.processID, mode: 0o644)
        defer {
            for file in [folder.ready, folder.processID] { try? FileManager.default.removeItem(atPath: file) }
        }
        let values = try ConfigurationValues(
            file: nil, environment: ProcessInfo.processInfo.environment, flags: Forecastle.flags.values)
        LoggingSetup.start(values)
        let logger = Logger(label: "forecastle.up")
        let supervisor = Supervisor(logger: logger)
        let signals = await UnixSignalsSequence(trapping: .sigterm, .sigint)
        var cluster = try EmbeddedCluster(folder: folder, workers: workers, isThrowaway: throwaway, usesTLS: tls, logger: logger)
        var proxies: Task<Void, any Error>?
        if faultProxies {
            let plumbing = try FaultPlumbing(
                cluster: cluster, others: otherFaultProxies, seed: UInt64.random(in: 1...UInt64.max), logger: logger)
            cluster = cluster.wired(plumbing.wiring)
            proxies = Task { try await plumbing.run() }
            let control = FaultControl(folder: folder, workers: workers, plumbing: plumbing, supervisor: supervisor)
            try FaultControlSocket(folder: folder).serve(control)
        }
        defer { proxies?.cancel() }
        if let faultyWorker { cluster.wiring.faults.plan(faultyWorker, for: "worker-1") }

        let (outcomes, outcome) = AsyncStream.makeStream(of: Result<Void, any Error>.self)
        let watch = Task {
            for await _ in signals { break }
            outcome.yield(.success(()))
        }
        let renewal = cluster.certificates.map { certificates in Task { await certificates.keep(logger) } }
        let start = Task {
            do {
                try await cluster.start(only, supervisor)
                try folder.write(cluster.announcement(only), to: folder.ready, mode: 0o644)
                print(cluster.announcement(only), terminator: "")
                fflush(nil)
            } catch is CancellationError {
            } catch {
                outcome.yield(.failure(error))
            }
        }
        var first: Result<Void, any Error> = .success(())
        for await result in outcomes {
            first = result
            break
        }
        watch.cancel()
        renewal?.cancel()
        start.cancel()
        _ = await start.value
        await supervisor.stopAll()
        try first.get()
    }
}
