import ArgumentParser
import Envelope
import Secrets

/// `forecastle open`: the plaintext of a message, if every byte of it is authentic.
struct Open: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Decrypt an AWS Encryption SDK message.",
        discussion: """
            A file appears only when the whole message was verified. To standard output, verified frames flow before the \
            end is seen: believe them when the exit code is 0. \(MessageExit.discussion)
            """)

    @OptionGroup var key: MessageKeyOptions

    @Option(
        name: [.customLong("context"), .customLong("require-context")],
        help: "A pair name=value that the message's encryption context must hold. Repeatable.")
    var pairs: [String] = []

    @OptionGroup var files: MessageFileOptions

    func validate() throws {
        _ = try ContextArgument.parse(pairs)
    }

    func run() async throws {
        try await CommandFailure.reporting {
            try ProcessHardening.apply()
            let keyring = try key.keyring()
            let required = try ContextArgument.parse(pairs)
            // What was secret stays its owner's.
            try await files.run(mode: 0o600) { input, output, options in
                let opening = ParallelOpener(options: options)
                let header = try await opening.readHeader(input)
                try MessageExpectation(requiredContext: required).check(header)
                let opener = try await MessageOpener(header: header, provider: keyring)
                defer { opener.wipe() }
                try await opening.open(opener, input, into: output)
            }
        }
    }
}
