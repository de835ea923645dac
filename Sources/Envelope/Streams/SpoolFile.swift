import Glibc

/// A file without a name that holds ciphertext while its signature is verified. It is gone with the process at the latest.
final class SpoolFile: Sendable {
    private let owned: OwnedDescriptor

    /// Throws `inputOutput` where the folder takes no file.
    init(folder: String) throws(EnvelopeError) {
        let unnamed = open(folder, O_RDWR | O_CLOEXEC | StagedFile.unnamedFlag, 0o600)
        if unnamed >= 0 {
            owned = OwnedDescriptor(unnamed)
            return
        }
        let name = StagedFile.temporaryName("\(folder)/spool")
        let named = open(name, O_RDWR | O_CLOEXEC | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600)
        guard named >= 0 else { throw ByteChannel.failure("Making a file for the message in \(folder)", errno) }
        unlink(name)
        owned = OwnedDescriptor(named)
    }

    /// Its offsets are those of the message. The file lives as long as this object.
    var channel: ByteChannel { ByteChannel(descriptor: owned.descriptor, access: .positional(bytes: 0)) }
}
