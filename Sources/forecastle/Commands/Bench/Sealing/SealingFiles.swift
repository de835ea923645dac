import Foundation
import Secrets

/// Cases that run programs on files: ours, and those of peers.
struct SealingFiles: Sendable {
    let folder: BenchFolder
    let peers: SealingPeers
    let bytes: Int
    /// The Python SDK gets a quarter: it takes seconds for a gibibyte. Figures are per GiB.
    var sdkBytes: Int { max(1 << 20, bytes / 4) }
    let log: String
    private let program: String

    static let sdkFrameBytes = 1 << 20
    static let rangeBytes = 1 << 20

    init(folder: BenchFolder, peers: SealingPeers, bytes: Int) {
        self.folder = folder
        self.peers = peers
        self.bytes = bytes
        log = folder.file("log")
        program = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? CommandLine.arguments[0]
    }

    private var input: String { folder.file("input") }
    private var smallInput: String { folder.file("input.small") }
    private var key: String { folder.file("key") }

    /// Makes input, keys and what is opened later, and checks once that ours gives back what was sealed.
    func prepare() async throws {
        try folder.makeInput("input", bytes: bytes)
        try folder.makeInput("input.small", bytes: sdkBytes)
        try SecretBytes.random(count: 32).withUnsafeBytes { secret in
            guard FileManager.default.createFile(atPath: key, contents: Data(secret), attributes: [.posixPermissions: 0o600])
            else { throw CommandFailure("The key file cannot be made.", MessageExit.cannotCreate) }
        }
        try await ours("seal", input, folder.file("sealed"))
        try await ours("seal", input, folder.file("sealed.long"), Self.longFrames)
        try await ours("seal", smallInput, folder.file("sealed.small"), Self.longFrames)
        for sealed in ["sealed", "sealed.long"] {
            try await ours("open", folder.file(sealed), folder.file("opened"))
            guard folder.isEqual("opened", "input") else {
                throw CommandFailure("What was opened is not what was sealed.", MessageExit.message)
            }
            folder.remove("opened")
        }
        if let age = peers.age, let keygen = peers.ageKeygen {
            _ = try await process(keygen, ["-o", folder.file("age.key")]).run()
            _ = try await process(keygen, ["-y", "-o", folder.file("age.recipient"), folder.file("age.key")]).run()
            _ = try await process(age, ["-R", folder.file("age.recipient"), "-o", folder.file("sealed.age"), input]).run()
        }
    }

    private static let longFrames = ["--frame-bytes", "\(sdkFrameBytes)"]

    private func ours(_ what: String, _ input: String, _ output: String, _ flags: [String] = []) async throws {
        _ = try await process(program, [what, "--raw-key", key] + flags + [input, output]).run()
    }

    private func process(_ executable: String, _ arguments: [String]) -> MeasuredProcess {
        MeasuredProcess(executable: executable, arguments: arguments, log: log)
    }

    // MARK: Cases

    /// A case that leaves `output`, which is removed at once: the next one meets the same memory and disk.
    private func fileCase(
        _ name: String, _ title: String, _ executable: String, _ arguments: [String], bytes: Int? = nil
    ) -> BenchCase {
        let work = bytes ?? self.bytes
        return BenchCase(name: name, title: title) {
            try folder.settle(work)
            defer { folder.remove("output") }
            return try await process(executable, arguments).run().sample(bytes: work)
        }
    }

    private func ourCase(
        _ name: String, _ title: String, _ what: String, from source: String, _ flags: [String] = [], bytes: Int? = nil
    ) -> BenchCase {
        fileCase(
            name, title, program, [what, "--raw-key", key] + flags + [folder.file(source), folder.file("output")], bytes: bytes)
    }

    private var size: String { Amount.bytes(Int64(bytes)) }

    var fileCases: [BenchCase] {
        var cases = [
            ourCase("file.seal.forecastle", "forecastle seal", "seal", from: "input"),
            ourCase("file.open.forecastle", "forecastle open", "open", from: "sealed"),
            ourCase("file.seal.forecastle.long", "forecastle seal, 1 MiB frames", "seal", from: "input", Self.longFrames),
            ourCase("file.open.forecastle.long", "forecastle open, 1 MiB frames", "open", from: "sealed.long"),
        ]
        if let cp = peers.cp { cases.append(fileCase("file.copy.cp", "cp", cp, [input, folder.file("output")])) }
        if let age = peers.age {
            cases.append(
                fileCase(
                    "file.seal.age", "age --encrypt", age,
                    ["-R", folder.file("age.recipient"), "-o", folder.file("output"), input]))
            cases.append(
                fileCase(
                    "file.open.age", "age --decrypt", age,
                    ["-d", "-i", folder.file("age.key"), "-o", folder.file("output"), folder.file("sealed.age")]))
        }
        return cases
    }

    /// The same message by the official SDK: same suite, same frame length, same size.
    var sdkCases: [BenchCase] {
        guard let python = peers.python else { return [] }
        return [
            ourCase(
                "sdk.seal.forecastle", "forecastle seal, 1 MiB frames", "seal", from: "input.small", Self.longFrames,
                bytes: sdkBytes),
            ourCase("sdk.open.forecastle", "forecastle open, 1 MiB frames", "open", from: "sealed.small", bytes: sdkBytes),
            sdkCase("sdk.seal.python", "Python SDK, encrypt", python, "seal", "input.small", EncryptionSDKPeer.committed),
            sdkCase("sdk.open.python", "Python SDK, decrypt", python, "open", "sealed.small", EncryptionSDKPeer.committed),
        ]
    }

    private func sdkCase(
        _ name: String, _ title: String, _ python: String, _ what: String, _ source: String, _ suite: String
    ) -> BenchCase {
        BenchCase(name: name, title: title) {
            try folder.settle(sdkBytes)
            defer { folder.remove("output") }
            let printed = folder.file("sdk.seconds")
            let arguments = [
                "-c", EncryptionSDKPeer.program, what, key, folder.file(source), folder.file("output"),
                "\(Self.sdkFrameBytes)", suite,
            ]
            let outcome = try await MeasuredProcess(
                executable: python, arguments: arguments, output: .file(printed), log: log
            ).run()
            let seconds = ((try? String(contentsOfFile: printed, encoding: .utf8)) ?? "").split(whereSeparator: \.isWhitespace)
                .compactMap { Double($0) }
            guard seconds.count == 2, what == "seal" || folder.isEqual("output", "input.small") else {
                throw CommandFailure("The Python SDK gave no figure, or not what was sealed.", MessageExit.inputOutput)
            }
            return BenchSample(
                wallSeconds: seconds[0], cpuSeconds: seconds[1], bytes: sdkBytes, peakBytes: outcome.peakBytes)
        }
    }

    var pipeCases: [BenchCase] {
        var cases = [
            pipeCase("pipe.seal.forecastle", "forecastle seal", program, ["seal", "--raw-key", key, "-", "-"], from: "input"),
            pipeCase("pipe.open.forecastle", "forecastle open", program, ["open", "--raw-key", key, "-", "-"], from: "sealed"),
        ]
        if let cat = peers.cat { cases.append(pipeCase("pipe.copy.cat", "cat", cat, [], from: "input")) }
        if let age = peers.age {
            cases.append(
                pipeCase("pipe.seal.age", "age --encrypt", age, ["-R", folder.file("age.recipient")], from: "input"))
            cases.append(
                pipeCase("pipe.open.age", "age --decrypt", age, ["-d", "-i", folder.file("age.key")], from: "sealed.age"))
        }
        return cases
    }

    private func pipeCase(
        _ name: String, _ title: String, _ executable: String, _ arguments: [String], from source: String
    ) -> BenchCase {
        BenchCase(name: name, title: title) {
            let outcome = try await MeasuredProcess(
                executable: executable, arguments: arguments, input: .pipe(fromFile: folder.file(source)), output: .pipe,
                log: log
            ).run()
            guard let piped = outcome.pipedBytes, piped >= bytes else {
                throw CommandFailure("\(title) wrote less than it was given.", MessageExit.inputOutput)
            }
            return outcome.sample(bytes: bytes)
        }
    }

    var rangeCases: [BenchCase] { [] }
}
