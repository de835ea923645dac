import AWSProtocol
import Envelope
import EnvelopeKMS
import Foundation
import Glibc
import Postgres

/// Case 48.
struct CrashWithKeysLoaded: ChaosCase {
    let number = 48
    let title = "a crash with keys in memory"
    let injects = "SIGABRT and SIGSEGV to a worker that holds data keys; gcore of one whose jobs have ended, as root"
    let expects = "no core file; files without canary; data keys gone from the worker's memory once its jobs have ended"
    let needs: [ChaosNeed] = [.root, .program("gcore")]
    let limit: Duration = .seconds(400)
    private static let coreDumped: Int32 = 0x80

    var setup: ChaosSetup {
        var setup = ChaosSetup()
        setup.workers = 1
        return setup
    }

    func run(_ trial: ChaosTrial) async throws {
        let (cluster, load) = (trial.cluster, trial.load)
        let access = try await load.prepare()
        for (name, number) in trial.shuffled([("SIGABRT", SIGABRT), ("SIGSEGV", SIGSEGV)]) {
            let worker = try await cluster.restart("worker-1", faults: "chunk.recorded:2=stop")
            _ = await load.submit(access)
            try await trial.wait(until: "the worker to be in the middle", every: .milliseconds(20)) {
                ClusterProcesses.state(of: worker.pid) == "T"
            }
            try trial.expect(!Self.mayLeaveCore(worker.pid), "the worker's limit of core files is not 0")
            worker.signal(number)
            worker.signal(SIGCONT)
            let status = await worker.wait()
            trial.injected("\(name) to a worker with data keys: \(ChildProcess.describe(status))")
            try trial.expect(status & 0x7F == number, "the worker \(ChildProcess.describe(status))")
            try trial.expect(status & Self.coreDumped == 0, "the kernel wrote a core file")
            try await trial.waitForEnd()
        }
        try await trial.waitForSuccess()
        try await searchMemory(trial, access)
        trial.saw("no core file; memory of a live worker was read as root, whom nothing keeps out")
    }

    /// Whether the kernel would write its memory to a file.
    private static func mayLeaveCore(_ pid: pid_t) -> Bool {
        let lines = (try? String(contentsOfFile: "/proc/\(pid)/limits", encoding: .utf8)) ?? ""
        let core = lines.split(separator: "\n").first { $0.hasPrefix("Max core file size") }?
            .split(whereSeparator: \.isWhitespace)
        return core?.dropFirst(4).first != "0"
    }

    /// The data keys of every object of the store, as KMS opens them, in what gcore takes of the worker.
    private func searchMemory(_ trial: ChaosTrial, _ access: DemoCustomer.Access) async throws {
        let (cluster, load) = (trial.cluster, trial.load)
        for _ in 1...3 { _ = await load.submit(access) }
        try await trial.waitForSuccess()
        let ended = ContinuousClock.now
        let worker = try await cluster.running("worker-1")
        guard let gcore = ChaosNeed.path(of: "gcore") else { throw ChaosSkip(description: "gcore is not installed") }
        let prefix = cluster.folder.path + "/taken"
        // Within about a second of the end of the last job.
        let status = try await cluster.run(gcore, ["-a", "-o", prefix, "\(worker.pid)"], log: "gcore")
        let file = "\(prefix).\(worker.pid)"
        defer { unlink(file) }
        guard status == 0, FileManager.default.fileExists(atPath: file) else {
            throw ChaosFailure(description: "gcore \(ChildProcess.describe(status)): \(cluster.log("gcore").suffix(300))")
        }
        trial.injected("gcore of a worker \(ended.duration(to: .now).rounded) after its last job")
        let kms = RememberedDataKeys(try load.client.kms())
        let names = try await cluster.jobs.query("SELECT name FROM job_object WHERE state = 'published'").map {
            try $0.get("name", as: String.self)
        }
        for name in names {
            let bytes = try StoredArtifact.read(cluster.artifacts + "/" + name)
            let header = try MessageHeader.parse(whole: bytes[...])
            _ = try await KMSDataKeyProvider(kms: kms, keyARN: access.key).open(
                header.encryptedDataKeys, context: header.context)
        }
        let memory = try Data(contentsOf: URL(fileURLWithPath: file), options: .alwaysMapped)
        // What must be there, or the search would find nothing whatever there was.
        try trial.expect(Self.holds(memory, Array("worker.credentials_file".utf8)), "the dump is none of a worker's")
        let keys = kms.dataKeys
        let found = keys.count { Self.holds(memory, $0) }
        try trial.expect(found == 0, "\(found) of \(keys.count) data keys of ended jobs are in the worker's memory")
        trial.saw("none of \(keys.count) data keys is in \(memory.count >> 20) MiB of the worker's memory")
        let rows = Self.holds(memory, Array(load.canary.utf8))
        trial.saw(
            rows
                ? "rows of the customer's data are in memory that was given back: only keys are wiped, see docs/threat-model.md"
                : "no row of the customer's data is in it either")
    }

    private static func holds(_ memory: Data, _ bytes: [UInt8]) -> Bool {
        memory.withUnsafeBytes { memory in
            guard var place = memory.baseAddress else { return false }
            let last = place + memory.count - bytes.count
            while place <= last, let found = memchr(place, Int32(bytes[0]), last - place + 1) {
                if memcmp(found, bytes, bytes.count) == 0 { return true }
                place = UnsafeRawPointer(found) + 1
            }
            return false
        }
    }
}
