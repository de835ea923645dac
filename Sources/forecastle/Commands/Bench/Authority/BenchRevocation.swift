import AWSClients
import AWSProtocol
import ArgumentParser
import Artifacts
import Foundation
import Logging
import Secrets
import Synchronization

/// `forecastle bench revocation`: what is withdrawn at one authority process, and when it ends at another and at a worker.
struct BenchRevocation: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "revocation",
        abstract: "Measure how soon a withdrawn right ends at another authority process and at a worker.",
        discussion: """
            Starts a PostgreSQL, a broker and two authority processes over one database. Rights are withdrawn at the first. A \
            principal uses the key at the second without a pause, beside other load, and holds two key leases there as \
            workers do: one hears announcements, one only renews. Times count from the reply to who withdrew.
            """)

    @OptionGroup var options: BenchOptions

    @Option(help: "Withdrawals of each kind that count.")
    var rounds = 20

    @Option(help: "Connections of other load at the second process meanwhile, 0 to 64.")
    var load = 8

    func validate() throws {
        guard (1...1000).contains(rounds) else { throw ValidationError("--rounds takes 1 to 1000.") }
        guard (0...64).contains(load) else { throw ValidationError("--load takes 0 to 64.") }
    }

    func run() async throws {
        try await CommandFailure.reporting {
            let machine = BenchMachine.current()
            let started = Date()
            let folder = try BenchFolder(below: options.folder, needing: 1 << 30)
            defer { folder.delete() }
            let bench = try await AuthorityBenchCluster.start(in: folder)
            let outcome: Result<RevocationResults, any Error>
            do {
                outcome = .success(try await measure(bench))
            } catch {
                outcome = .failure(error)
            }
            await bench.stop()
            let results = try outcome.get()
            let record = BenchRecord(
                bench: "revocation", machine: machine, started: started, peers: [:],
                settings: ["rounds": "\(count)", "load": "\(load)"], results: results.results, targets: results.targets)
            try options.publish(
                record, text: [machine.line, ""] + results.table.lines + [""] + results.targetTable.lines, chart: "",
                part: [
                    "", "\(machine.line). \(count) withdrawals of each kind, \(Amount.count(load, "connection")) of other load.",
                    "",
                ] + results.table.markdown + [""] + results.targetTable.markdown + [""])
        }
    }

    private var count: Int { options.quick ? 2 : rounds }

    private func measure(_ bench: AuthorityBenchCluster) async throws -> RevocationResults {
        var line = ProgressLine(.standardError)
        defer { line.finish() }
        line.update("starting a second authority", key: "start")
        let first = try bench.generator(port: bench.firstAuthority.port)
        let second = try await bench.startAuthority(number: 2)
        let principal = try await bench.makeUser("bench-worker")
        let user = LoadGenerator(
            port: second.port, signer: LoadSigner(credentials: principal, region: AuthorityBenchCluster.region, port: second.port)
        )
        let busy = try await AuthorityLoad.prepare(
            tool: "ours", title: "load", generator: try bench.generator(port: second.port), process: second.pid,
            role: bench.roleARN)
        let process = RoleProcess(name: "bench", values: try bench.values())
        let logger = Logger(label: "forecastle.bench")
        let (hearing, deaf) = (KeyLeaseKeeper(logger: logger), KeyLeaseKeeper(logger: logger))
        let bell = try ControlBell.service(process) { hearing.renewNow() }
        let scene = RevocationScene(
            first: first, user: user, userName: "bench-worker", principal: principal, hearing: hearing, deaf: deaf,
            transport: HTTPTransport())
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await hearing.run() }
            group.addTask { try await deaf.run() }
            group.addTask { try await bell.run() }
            let (load, count) = (load, count)
            if load > 0 {
                group.addTask {
                    while !Task.isCancelled {
                        _ = try await busy.generator.run(connections: load, seconds: 1) { _ in busy.script(.generateDataKey) }
                    }
                }
            }
            var results = RevocationResults()
            let total = RevocationAct.allCases.count * (count + 1)
            for round in 0...count {
                for (step, act) in RevocationAct.allCases.enumerated() {
                    line.update("\(round * RevocationAct.allCases.count + step + 1)/\(total): \(act.rawValue)", key: "measure")
                    let finding = try await scene.run(act)
                    // The first round connects everybody.
                    if round > 0 { results.add(act, finding) }
                }
            }
            group.cancelAll()
            return results
        }
    }
}

/// One withdrawal after the other, each with a key and a grant of its own.
private struct RevocationScene: Sendable {
    let first: LoadGenerator
    let user: LoadGenerator
    let userName: String
    let principal: AWSCredentials
    let hearing: KeyLeaseKeeper
    let deaf: KeyLeaseKeeper
    let transport: any AWSTransport

    func run(_ act: RevocationAct) async throws -> RevocationResults.Finding {
        let created = try await first.call(.kms("CreateKey", [:]))
        guard let key = try JSONValue.parse(created.body)["KeyMetadata"]?["Arn"]?.stringValue else {
            throw CommandFailure("CreateKey's answer names no key.", MessageExit.inputOutput)
        }
        let grant = try await first.call(
            .kms(
                "CreateGrant",
                [
                    "KeyId": .string(key), "Operations": ["GenerateDataKey", "Decrypt"],
                    "GranteePrincipal": .string("arn:aws:iam::\(EmbeddedCluster.customer):user/\(userName)"),
                ])
        ).member("GrantId")
        let context: JSONObject = JSONObject(LeaseWatch.context.map { ($0.key, .string($0.value)) })
        let dataKey = try await user.call(
            .kms("GenerateDataKey", ["KeyId": .string(key), "KeySpec": "AES_256", "EncryptionContext": .object(context)])
        ).member("CiphertextBlob")
        let watch = RevocationWatch(
            generator: user, call: .kms("Decrypt", ["CiphertextBlob": .string(dataKey), "EncryptionContext": .object(context)]))
        let told = try await lease(hearing, key)
        let untold = try await lease(deaf, key)
        defer {
            told.release()
            untold.release()
        }
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await watch.run() }
            defer { watch.stop() }
            let deadline = ContinuousClock.now + .seconds(10)
            while !watch.hasSucceeded {
                guard ContinuousClock.now < deadline else {
                    throw CommandFailure("A key was of no use.", MessageExit.inputOutput)
                }
                try await Task.sleep(for: .milliseconds(1))
            }
            // Anywhere within a beat of the leases.
            try await Task.sleep(for: .milliseconds(.random(in: 20...500)))
            _ = try await first.call(act.call(key: key, grant: grant, account: EmbeddedCluster.customer))
            let reply = DispatchTime.now().uptimeNanoseconds
            let (toldLoss, untoldLoss) = (try await told.loss(after: reply), try await untold.loss(after: reply))
            try await group.waitForAll()
            return RevocationResults.Finding(
                use: watch.finding(after: reply), toldLossSeconds: toldLoss, untoldLossSeconds: untoldLoss)
        }
    }

    private func lease(_ keeper: KeyLeaseKeeper, _ key: String) async throws -> LeaseWatch {
        try await LeaseWatch(
            keeper: keeper, key: key, credentials: principal, port: user.port, transport: transport)
    }
}
