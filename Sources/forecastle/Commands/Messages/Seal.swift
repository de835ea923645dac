import ArgumentParser
import Envelope
import Glibc
import Secrets

/// `forecastle seal`: a file or pipe into a message that any AWS Encryption SDK opens.
struct Seal: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Encrypt a file or pipe as an AWS Encryption SDK message.",
        discussion: """
            Each key that is named can open the message; the first one makes its data key. \(MessageExit.discussion)
            """)

    @OptionGroup(title: "Keys") var keys: MessageKeyOptions

    @Option(
        name: .customLong("context"),
        help: ArgumentHelp(
            "A pair of the encryption context: bound to the message, not secret. Repeatable.", valueName: "name=value"))
    var pairs: [String] = []

    @Option(help: "Algorithm suite: 0478 commits to the key, 0578 is signed with ECDSA P-384 as well.")
    var suite = SuiteChoice.committed

    @Option(name: .customLong("frame-bytes"), help: ArgumentHelp("Plaintext in a frame: 65536, 64KiB, 1MiB.", valueName: "size"))
    var frameBytes = ByteCount(MessageSealer.standardFrameBytes)

    @OptionGroup var cipher: CipherOptions
    @OptionGroup var files: MessageFileOptions

    @Argument(help: "Input file, or - for standard input.", completion: .file())
    var input: String

    @Argument(
        help: "Output file, or - for standard output. A file appears when it is complete, or not at all.", completion: .file())
    var output: String

    func validate() throws {
        guard !keys.isEmpty else { throw ValidationError("Name a key: --raw-key FILE or --kms-key ARN.") }
        let context = try ContextArgument.parse(pairs)
        if let name = context.keys.first(where: { $0.hasPrefix(EncryptionContextCodec.reservedPrefix) }) {
            throw ValidationError("--context \(name): names that begin with aws-crypto- belong to the format.")
        }
        let longest = MessageLimits.standard.maximumFrameBytes
        guard (1...longest).contains(frameBytes.bytes) else {
            throw ValidationError("--frame-bytes takes 1 to \(ByteCount(longest)), not \(frameBytes).")
        }
    }

    func run() async throws {
        try await CommandFailure.reporting {
            try ProcessHardening.apply()
            guard output != "-" || files.force || isatty(STDOUT_FILENO) == 0 else {
                throw CommandFailure(
                    "The message would go to a terminal: name a file, or --force it.", .validationFailure)
            }
            let backend = try cipher.backend()
            let provider = try keys.sealingProvider(backend: backend)
            let context = try ContextArgument.parse(pairs)
            let (suite, frameBytes) = (suite.suite, frameBytes.bytes)
            let pass = MessagePass(verb: "sealing", input: input, output: output, mode: 0o666, options: files)
            try await pass.run { ends in
                guard let output = ends.output else { preconditionFailure("Sealing has an output always.") }
                if case .positional(let bytes) = ends.input.access { ends.meter.total = bytes }
                let sealer = try await MessageSealer(
                    provider: provider, context: context, suite: suite, frameBytes: frameBytes, backend: backend)
                defer { sealer.wipe() }
                let bytes = try await ParallelSealer(sealer, options: ends.options).seal(ends.input, into: output)
                let layout = try FrameLayout(
                    headerBytes: sealer.header.byteCount, frameBytes: frameBytes, plaintextBytes: bytes,
                    footerBytes: sealer.footerBytes)
                return MessageReport(
                    operation: "seal", header: sealer.header, bytesIn: bytes, bytesOut: layout.messageBytes,
                    frames: layout.frameCount, seconds: ends.seconds, cipher: backend.name)
            }
        }
    }
}
