import ArgumentParser
import Envelope
import Foundation

/// `forecastle bench seal`: sealing and opening in memory, from file to file, through pipes and by range, beside
/// `openssl speed`, `cp`, `age` and the AWS Encryption SDK for Python.
struct BenchSeal: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "seal",
        abstract: "Measure sealing and opening in memory, between files, through pipes and by range.",
        discussion: """
            Peers take part where they are found: openssl, age and age-keygen on the PATH, the Python SDK where --python \
            names an interpreter that has it. deploy/bench-envelope installs them, runs everything and writes \
            docs/performance.md.
            """)

    enum Section: String, CaseIterable, ExpressibleByArgument {
        case memory, file, sdk, pipe, range
    }

    @OptionGroup var options: BenchOptions

    @Option(name: .customLong("section"), help: "Only this section. Repeatable.")
    var sections: [Section] = []

    @Option(help: "Size of the files, 1 to \(Self.mebibytesMax) MiB.")
    var mebibytes = 1024

    @Option(
        name: .customLong("frame-bytes"), help: "Frame length in memory, 8 bytes to 16 MiB; 4 KiB, 64 KiB and 1 MiB. Repeatable.")
    var frameBytes: [Int] = []

    @Option(help: "How long a run in memory takes, 0.01 to 10 s.")
    var seconds = 0.5

    @Option(help: "Python interpreter with aws-encryption-sdk and aws-cryptographic-material-providers.")
    var python: String?

    private static let mebibytesMax = 64 << 10
    /// Of the file's size: input, a sealed copy of each tool's and the output of the run.
    private static let copiesOnDisk = 6

    func validate() throws {
        guard (1...Self.mebibytesMax).contains(mebibytes) else {
            throw ValidationError("--mebibytes takes 1 to \(Self.mebibytesMax).")
        }
        guard frameBytes.allSatisfy({ (8...MessageLimits.standard.maximumFrameBytes).contains($0) && $0 % 8 == 0 }) else {
            throw ValidationError("--frame-bytes takes multiples of 8 up to \(MessageLimits.standard.maximumFrameBytes).")
        }
        guard (0.01...10).contains(seconds) else { throw ValidationError("--seconds takes 0.01 to 10.") }
    }

    func run() async throws {
        try await CommandFailure.reporting {
            let machine = BenchMachine.current()
            let started = Date()
            let bytes = (options.quick ? 4 : mebibytes) << 20
            let folder = try BenchFolder(below: options.folder, needing: Self.copiesOnDisk * bytes)
            defer { folder.delete() }
            let peers = try await SealingPeers.find(python: python, folder: folder)
            let results = try await measure(SealingFiles(folder: folder, peers: peers, bytes: bytes), peers)
            let record = BenchRecord(
                bench: "seal", machine: machine, started: started, peers: peers.versions,
                settings: [
                    "fileBytes": "\(bytes)", "repetitions": "\(options.schedule.repetitions)",
                    "warmUps": "\(options.schedule.warmUps)",
                ], results: results, targets: SealingTargets.all(results))
            let report = SealingReport(record: record)
            try options.publish(record, text: report.text, chart: report.chart, part: report.markdown)
        }
    }

    /// Programs are measured first, while this process is small: the kernel counts its memory into their peaks.
    private func measure(_ files: SealingFiles, _ peers: SealingPeers) async throws -> [BenchResult] {
        let wanted = sections.isEmpty ? Section.allCases : sections
        let frames = options.quick ? [MessageSealer.standardFrameBytes] : SealingInMemory.standardFrameBytes
        let memory = SealingInMemory(
            seconds: options.quick ? 0.02 : seconds, frameBytes: frameBytes.isEmpty ? frames : frameBytes)
        var results: [BenchResult] = []
        var line = ProgressLine(.standardError)
        if wanted.contains(where: { $0 != .memory }) {
            line.update("preparing files", key: "files")
            try await files.prepare()
        }
        for section in [Section.file, .sdk, .pipe, .range, .memory] where wanted.contains(section) {
            let cases =
                switch section {
                case .memory: memory.cases(openssl: peers.openssl, log: files.log)
                case .file: files.fileCases
                case .sdk: files.sdkCases
                case .pipe: files.pipeCases
                case .range: files.rangeCases
                }
            results += try await options.schedule.run(cases) { done, total, title in
                line.update("\(section.rawValue) \(done + 1)/\(total): \(title)", key: section.rawValue)
            }
        }
        line.finish()
        return results
    }
}
