import ArgumentParser
import Envelope
import Foundation
import Glibc
import Secrets

/// Exit codes of `seal`, `open` and `inspect`, as sysexits.h has them: a script can tell a bad message from a full disk.
enum MessageExit {
    /// The message could not be authenticated, is of a refused kind, or (inspect) something is wrong with it.
    static let message = ExitCode(65)
    /// An input or key file cannot be read.
    static let noInput = ExitCode(66)
    /// The output cannot be made: it exists already, or its folder does not let it.
    static let cannotCreate = ExitCode(73)
    /// Reading or writing failed on the way.
    static let inputOutput = ExitCode(74)

    static let discussion = """
        Exit codes: 0 done; 64 wrong use; 65 the message is refused; 66 an input or the key file cannot be read; \
        73 the output cannot be made; 74 reading or writing failed.
        """
}

/// The key, as `seal` and `open` take it.
struct MessageKeyOptions: ParsableArguments {
    @Option(name: .customLong("raw-key"), help: "File with the wrapping key: 32 bytes, or 64 hexadecimal digits.")
    var rawKey: String

    @Option(name: .customLong("key-namespace"), help: "Key namespace, as the raw AES keyring of the AWS Encryption SDKs has it.")
    var namespace = "forecastle"

    @Option(name: .customLong("key-name"), help: "Key name in that namespace.")
    var name = "raw-key"

    func keyring() throws -> RawAESKeyring {
        try RawAESKeyring(namespace: namespace, name: name, wrappingKey: try Self.readKey(rawKey))
    }

    /// Longest key file: digits and line ends. More is read only to be refused.
    private static let maximumKeyFileBytes = 72

    /// Reads into locked memory; the file's bytes are never in a buffer that is not wiped.
    private static func readKey(_ path: String) throws -> SharedSecret {
        let descriptor = Glibc.open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw CommandFailure("The key file cannot be read: \(String(cString: strerror(errno))).", MessageExit.noInput)
        }
        defer { close(descriptor) }
        var status = stat()
        if fstat(descriptor, &status) == 0, status.st_mode & 0o077 != 0 {
            CommandFailure.warn("The key file can be read by other users (mode it 0600).")
        }
        var length = 0
        let file = SecretBytes(count: maximumKeyFileBytes + 1) { buffer in
            while length < buffer.count {
                let count = read(descriptor, buffer.baseAddress! + length, buffer.count - length)
                guard count > 0 else { break }
                length += count
            }
        }
        return try file.withUnsafeBytes { bytes in
            SharedSecret(try key(in: UnsafeRawBufferPointer(rebasing: bytes[..<length])))
        }
    }

    private static func key(in bytes: UnsafeRawBufferPointer) throws -> SecretBytes {
        if bytes.count == 32 { return SecretBytes(copying: bytes) }
        var digits = bytes[...]
        while let last = digits.last, last == UInt8(ascii: "\n") || last == UInt8(ascii: "\r") { digits = digits.dropLast() }
        let text = UnsafeRawBufferPointer(rebasing: digits)
        let failure = CommandFailure("The key file holds neither 32 bytes nor 64 hexadecimal digits.", MessageExit.noInput)
        guard text.count == 64 else { throw failure }
        return try SecretBytes(count: 32) { key in
            for index in 0..<32 {
                guard let high = nibble(text[2 * index]), let low = nibble(text[2 * index + 1]) else { throw failure }
                key[index] = high << 4 | low
            }
        }
    }

    private static func nibble(_ digit: UInt8) -> UInt8? {
        switch digit {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}

/// Input and output, each a file or `-`.
struct MessageFileOptions: ParsableArguments {
    @Option(help: "Threads to work with; all processors where not given.")
    var threads: Int?

    @Flag(name: .customLong("force"), help: "Replace an output file that is there already.")
    var force = false

    @Argument(help: "Input file, or - for standard input.")
    var input: String

    @Argument(help: "Output file, or - for standard output. A file appears when it is complete, or not at all.")
    var output: String

    static let maximumThreads = 256

    func validate() throws {
        if let threads, !(1...Self.maximumThreads).contains(threads) {
            throw ValidationError("--threads takes 1 to \(Self.maximumThreads).")
        }
    }

    /// Runs `body` between input and output, and publishes an output file when it returns.
    func run(mode: mode_t, _ body: (ByteChannel, ByteChannel, PassOptions) async throws -> Void) async throws {
        // A reader that went away is an error with its exit code, not a silent end.
        signal(SIGPIPE, SIG_IGN)
        PassOptions.tuneAllocator()
        var options = PassOptions()
        if let threads { options.threads = threads }
        let channel = try MessageFileOptions.openInput(input)
        defer { if channel.descriptor != STDIN_FILENO { close(channel.descriptor) } }
        if output == "-" {
            try await body(channel, ByteChannel(descriptor: STDOUT_FILENO, access: .sequential), options)
            return
        }
        let file: StagedFile
        do {
            file = try StagedFile(path: output, mode: mode)
        } catch {
            throw CommandFailure(error.message, MessageExit.cannotCreate)
        }
        try await body(channel, try ByteChannel.file(file.descriptor), options)
        do {
            try file.publish(replacing: force)
        } catch {
            throw CommandFailure(error.message, error.code == .inputOutput ? MessageExit.inputOutput : MessageExit.cannotCreate)
        }
    }

    /// Standard input is read in order even where it is a file: its position belongs to the shell.
    static func openInput(_ path: String) throws -> ByteChannel {
        if path == "-" { return ByteChannel(descriptor: STDIN_FILENO, access: .sequential) }
        let descriptor = Glibc.open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw CommandFailure("The input cannot be read: \(String(cString: strerror(errno))).", MessageExit.noInput)
        }
        return try ByteChannel.file(descriptor)
    }
}

/// Pairs of an encryption context on the command line.
enum ContextArgument {
    static func parse(_ pairs: [String]) throws -> EncryptionContext {
        var context: EncryptionContext = [:]
        for pair in pairs {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard parts.count == 2, !parts[0].isEmpty else { throw ValidationError("--context takes name=value.") }
            guard context.updateValue(parts[1], forKey: parts[0]) == nil else {
                throw ValidationError("--context has the name \(parts[0]) twice.")
            }
        }
        return context
    }
}

/// An error with the exit code that goes with it. Prints its message to standard error and nothing else.
struct CommandFailure: Error {
    let message: String
    let exitCode: ExitCode

    init(_ message: String, _ exitCode: ExitCode) {
        self.message = message
        self.exitCode = exitCode
    }

    static func warn(_ message: String) {
        FileHandle.standardError.write(Data("Warning: \(message)\n".utf8))
    }

    /// Runs a command's body; what it throws becomes a line on standard error and an exit code.
    static func reporting(_ body: () async throws -> Void) async throws {
        do {
            try await body()
        } catch let failure as CommandFailure {
            throw failure.exit
        } catch let error as EnvelopeError {
            let code: ExitCode =
                switch error.code {
                case .authentication, .suiteRefused: MessageExit.message
                case .inputOutput: MessageExit.inputOutput
                default: .validationFailure
                }
            throw CommandFailure(error.message, code).exit
        }
    }

    private var exit: ExitCode {
        FileHandle.standardError.write(Data("Error: \(message)\n".utf8))
        return exitCode
    }
}
