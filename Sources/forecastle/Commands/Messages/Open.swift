import ArgumentParser
import Envelope
import Secrets

/// `forecastle open`: the plaintext of a message, if every byte of it is authentic.
struct Open: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Decrypt an AWS Encryption SDK message.",
        discussion: """
            A file appears only when the whole message was verified. To standard output, verified frames flow before the \
            end is seen: believe them when the exit code is 0. Of a signed message (suite 0578) nothing flows before the \
            signature was verified. \(MessageExit.discussion)
            """)

    @OptionGroup(title: "Keys") var keys: MessageKeyOptions
    @OptionGroup(title: "Keys") var discovery: DiscoveryOptions

    @Option(
        name: [.customLong("require-context"), .customLong("context")],
        help: ArgumentHelp("A pair that the message's encryption context must hold. Repeatable.", valueName: "name=value"))
    var pairs: [String] = []

    @Option(
        name: .customLong("commitment-policy"),
        help: ArgumentHelp(
            "Whether messages may be opened whose suite does not commit to its key.",
            discussion: "Such a message can be made to open to different plaintexts under different keys."))
    var policy = CommitmentPolicyChoice.requireDecrypt

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Open these bytes of the plaintext only: 0-99, 100- or -100 (the last hundred), both ends included.",
            valueName: "a-b"))
    var range: PlaintextRange?

    @Flag(
        name: .customLong("unverified-signature"),
        help: "With --range: open a part of a signed message, whose signature is over the whole, by its frames' tags alone.")
    var unverifiedSignature = false

    @Flag(name: .customLong("verify-only"), help: "Verify the whole message and write nothing. Takes no output.")
    var verifyOnly = false

    @OptionGroup var cipher: CipherOptions
    @OptionGroup var files: MessageFileOptions

    @Argument(help: "Input file, or - for standard input.", completion: .file())
    var input: String

    @Argument(
        help: "Output file, or - for standard output. A file appears when it is complete, or not at all.", completion: .file())
    var output: String?

    func validate() throws {
        _ = try ContextArgument.parse(pairs, option: "--require-context")
        switch (keys.kmsKeys.isEmpty, discovery.isOn) {
        case (false, true): throw ValidationError("--kms-discovery is for messages whose KMS key is not named by --kms-key.")
        case (true, false) where keys.isEmpty:
            throw ValidationError("Name a key: --raw-key FILE, --kms-key ARN or --kms-discovery.")
        default: break
        }
        switch (output, verifyOnly) {
        case (nil, false): throw ValidationError("Name an output: a file, - for standard output, or --verify-only.")
        case (_?, true): throw ValidationError("--verify-only writes nothing: leave the output out.")
        default: break
        }
        guard range == nil || !verifyOnly else {
            throw ValidationError("--verify-only looks at the whole message: leave --range out.")
        }
        guard range != nil || !unverifiedSignature else {
            throw ValidationError("--unverified-signature goes with --range: a whole message's signature is verified.")
        }
        guard range == nil || input != "-" else {
            throw ValidationError("--range needs a file as input: a pipe cannot be read at an offset.")
        }
    }

    func run() async throws {
        try await CommandFailure.reporting {
            try ProcessHardening.apply()
            let backend = try cipher.backend()
            let opening = MessageOpening(
                provider: try keys.openingProvider(discovery, backend: backend),
                requiredContext: try ContextArgument.parse(pairs), policy: policy.policy, backend: backend, range: range,
                unverifiedSignature: unverifiedSignature)
            // What was secret stays its owner's.
            let pass = MessagePass(
                verb: verifyOnly ? "verifying" : "opening", input: input, output: output, mode: 0o600, options: files)
            try await pass.run { try await opening.run($0) }
        }
    }
}
