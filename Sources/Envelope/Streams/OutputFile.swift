import Glibc

/// An output by its path: a file that appears when it is complete, or a device, pipe or socket that is there already and
/// is written in order.
package struct OutputFile: ~Copyable {
    private enum Kind: ~Copyable {
        case staged(StagedFile)
        case special(OwnedDescriptor)
    }

    private let kind: Kind
    private let replacing: Bool

    /// Opens or begins it; a pipe with a name waits here for its reader. Throws `invalidInput` where a file is there already and
    /// may not be replaced, before any work was done for it; it is looked at again when the file is published.
    package init(path: String, mode: UInt32, replacing: Bool) throws(EnvelopeError) {
        self.replacing = replacing
        var status = stat()
        guard stat(path, &status) == 0 else {
            kind = .staged(try StagedFile(path: path, mode: mode))
            return
        }
        switch status.st_mode & S_IFMT {
        case S_IFREG:
            guard replacing else { throw .invalidInput("The output exists already.") }
            kind = .staged(try StagedFile(path: path, mode: mode))
        case S_IFDIR:
            throw .invalidInput("The output is a folder.")
        default:
            let descriptor = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY)
            guard descriptor >= 0 else { throw ByteChannel.failure("Opening the output", errno) }
            kind = .special(OwnedDescriptor(descriptor))
        }
    }

    package var channel: ByteChannel {
        switch kind {
        case .staged(let file): ByteChannel(descriptor: file.descriptor, access: .positional(bytes: 0))
        case .special(let owned): ByteChannel(descriptor: owned.descriptor, access: .sequential)
        }
    }

    /// Gives a file its name. Without this, what was written to it is gone.
    package consuming func publish() throws(EnvelopeError) {
        switch consume kind {
        case .staged(let file): try file.publish(replacing: replacing)
        case .special: break
        }
    }
}

/// Closes a descriptor when nobody needs it any more.
final class OwnedDescriptor: Sendable {
    let descriptor: Int32

    init(_ descriptor: Int32) { self.descriptor = descriptor }

    deinit { close(descriptor) }
}
