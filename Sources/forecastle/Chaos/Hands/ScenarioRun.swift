import AWSProtocol
import Foundation
import Logging
import Postgres
import Synchronization
import Verification

/// Carries a scenario out on a cluster that listens to orders of faults.
struct ScenarioRun: Sendable {
    let scenario: Scenario
    let folder: DataFolder
    let say: @Sendable (String) -> Void

    struct Report: Sendable {
        var said: [String] = []
        var accepted = 0
        var recoverySeconds = 0.0
        var verification: Verification?
        var failure: String?

        var holds: Bool { failure == nil }

        func json(_ scenario: Scenario) -> JSONValue {
            [
                "scenario": .string(scenario.name), "holds": .bool(holds), "failure": .optional(failure),
                "accepted": .int(Int64(accepted)), "recoverySeconds": .double(recoverySeconds), "said": .strings(said),
                "verification": verification?.json ?? .null,
            ]
        }
    }

    private final class Notes: Sendable {
        private let said = Mutex<[String]>([])
        private let say: @Sendable (String) -> Void

        init(_ say: @escaping @Sendable (String) -> Void) { self.say = say }

        var all: [String] { said.withLock { $0 } }

        func add(_ text: String) {
            said.withLock { $0.append(text) }
            say(text)
        }
    }

    private static let pollEvery: Duration = .milliseconds(100)

    func run() async throws -> Report {
        let values = try ConfigurationValues(file: folder.configuration, environment: [:], flags: Forecastle.flags.values)
        var configuration = PostgresConfiguration(
            connection: "host=\(folder.sockets) port=5432 user=forecastle_jobs dbname=forecastle_jobs",
            applicationName: "forecastle chaos run")
        configuration.maximumConnections = 3
        let jobs = PostgresPool(configuration: configuration, logger: Logger(label: "chaos") { _ in SwiftLogNoOpLogHandler() })
        defer { jobs.close() }
        let tag = "canary\(String(scenario.seed, radix: 36))x\(getpid())"
        // A folder that is given with --data is used by others, too: names of this run's own in any case.
        let load = try ChaosLoad(
            folder: folder, buckets: folder.buckets, configuration: folder.configuration,
            variables: EnvironmentFile.variables(at: folder.environment), account: EmbeddedCluster.customer, isOwn: false,
            canary: tag)
        var report = Report()
        let notes = Notes(say)
        let note: @Sendable (String) -> Void = { notes.add($0) }
        do {
            // Nobody's data: without a load there is nothing to be prepared.
            let access = scenario.imports > 0 ? try await load.prepare(openJobs: scenario.imports) : nil
            let worker = Task {
                guard let access else { return }
                while !Task.isCancelled {
                    if (try? await open(load, jobs)) ?? 0 < scenario.imports { _ = await load.submit(access) }
                    try? await Task.sleep(for: Self.pollEvery)
                }
            }
            let steps = await resultOf { try await carryOut(load, jobs, note) }
            // Whatever happened, nothing stays injected.
            _ = try socket.ask(["do": "heal"])
            let healed = ContinuousClock.now
            worker.cancel()
            await worker.value
            try steps.get()
            report.accepted = load.accepted.count
            try await end(load, jobs)
            report.recoverySeconds = healed.duration(to: .now) / .seconds(1)
            note("all imports had ended \(Amount.time(report.recoverySeconds)) after the last fault")
            if scenario.verifies {
                let verification = try await VerifiedCluster.with(values, configuration: folder.configuration) { cluster in
                    var cluster = cluster
                    cluster.accepted = load.accepted
                    cluster.clientErrors = load.errors
                    cluster.canaries = scenario.imports > 0 ? [load.canary] : []
                    return try await Verification.run(cluster)
                }
                report.verification = verification
                guard verification.holds else {
                    throw ChaosFailure(description: "the invariants do not hold: \(verification.violations.first ?? "")")
                }
                note("the invariants hold")
            }
        } catch let failure as ChaosFailure {
            report.failure = failure.description
        }
        report.said = notes.all
        return report
    }

    private var socket: FaultControlSocket { FaultControlSocket(folder: folder) }

    private func resultOf(_ body: () async throws -> Void) async -> Result<Void, any Error> {
        do {
            return .success(try await body())
        } catch {
            return .failure(error)
        }
    }

    private func carryOut(_ load: ChaosLoad, _ jobs: PostgresPool, _ note: (String) -> Void) async throws {
        for step in scenario.steps {
            switch step {
            case .wait(let seconds): try await Task.sleep(for: .seconds(seconds))
            case .inject(let request):
                _ = try socket.ask(["do": "inject", "fault": .object(request.fields)])
                note("injected \(JSONValue.object(request.fields).serializedString)")
            case .heal(let name):
                var request: JSONObject = ["do": "heal"]
                request["name"] = name.map { .string($0) }
                _ = try socket.ask(request)
                note("healed \(name ?? "everything")")
            case .until(let count, let seconds):
                let deadline = ContinuousClock.now + .seconds(seconds)
                while try await succeeded(load, jobs) < count {
                    guard ContinuousClock.now < deadline else {
                        throw ChaosFailure(description: "fewer than \(count) imports succeeded within \(seconds) s")
                    }
                    try await Task.sleep(for: Self.pollEvery)
                }
                note("\(count) imports have succeeded")
            }
        }
    }

    private func open(_ load: ChaosLoad, _ jobs: PostgresPool) async throws -> Int {
        let arns = load.accepted.map(\.arn)
        return try await jobs.query(
            "SELECT count(*) AS n FROM job WHERE resource = ANY(\(arns)) AND finished_at IS NULL"
        ).first?.get("n") ?? 0
    }

    private func succeeded(_ load: ChaosLoad, _ jobs: PostgresPool) async throws -> Int {
        let arns = load.accepted.map(\.arn)
        // A database that is being harmed answers later.
        let rows = try? await jobs.query(
            "SELECT count(*) AS n FROM job WHERE resource = ANY(\(arns)) AND state = 'succeeded'")
        return try rows?.first?.get("n") ?? 0
    }

    /// Waits until every accepted import has ended, as it is to.
    private func end(_ load: ChaosLoad, _ jobs: PostgresPool) async throws {
        let arns = load.accepted.map(\.arn)
        let deadline = ContinuousClock.now + .seconds(scenario.recoverWithinSeconds)
        while true {
            // Of one that a pool lost meanwhile, too: until the deadline everything may still come.
            let left = (try? await open(load, jobs)) ?? arns.count
            if left == 0 { break }
            guard ContinuousClock.now < deadline else {
                throw ChaosFailure(
                    description: "\(left) of \(arns.count) imports had not ended within \(scenario.recoverWithinSeconds) s")
            }
            try await Task.sleep(for: Self.pollEvery)
        }
        guard scenario.outcome == .succeed else { return }
        let rows = try await jobs.query(
            "SELECT resource, state, message FROM job WHERE resource = ANY(\(arns)) AND state <> 'succeeded'")
        if let row = rows.first {
            throw ChaosFailure(
                description: "\(try row.get("resource", as: String.self)) is \(try row.get("state", as: String.self)): "
                    + "\(try row.get("message", as: String?.self) ?? "")")
        }
    }
}
