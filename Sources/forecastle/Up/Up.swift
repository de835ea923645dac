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
        let wiring = ClusterWiring()
        if let faultyWorker { wiring.faults.plan(faultyWorker, for: "worker-1") }
        let cluster = try EmbeddedCluster(
            folder: folder, workers: workers, wiring: wiring, isThrowaway: throwaway, usesTLS: tls, logger: logger)

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
