import ArgumentParser
import Envelope
import Secrets

/// `forecastle seal`: a file or pipe into a message that any AWS Encryption SDK opens.
struct Seal: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Encrypt a file or pipe as an AWS Encryption SDK message.",
        discussion: "Suite 0478 (AES-256-GCM with key commitment). \(MessageExit.discussion)")

    @OptionGroup var key: MessageKeyOptions

    @Option(
        name: .customLong("context"),
        help: "A pair name=value of the encryption context: bound to the message, not secret.")
    var pairs: [String] = []

    @Option(name: .customLong("frame-bytes"), help: "Plaintext bytes in a frame.")
    var frameBytes = MessageSealer.standardFrameBytes

    @OptionGroup var files: MessageFileOptions

    func validate() throws {
        _ = try ContextArgument.parse(pairs)
        guard (1...MessageLimits.standard.maximumFrameBytes).contains(frameBytes) else {
            throw ValidationError("--frame-bytes takes 1 to \(MessageLimits.standard.maximumFrameBytes).")
        }
    }

    func run() async throws {
        try await CommandFailure.reporting {
            try ProcessHardening.apply()
            let keyring = try key.keyring()
            let context = try ContextArgument.parse(pairs)
            try await files.run(mode: 0o666) { input, output, options in
                let sealer = try await MessageSealer(provider: keyring, context: context, frameBytes: frameBytes)
                defer { sealer.wipe() }
                try await ParallelSealer(sealer, options: options).seal(input, into: output)
            }
        }
    }
}
