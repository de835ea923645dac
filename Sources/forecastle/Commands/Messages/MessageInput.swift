import CoreFoundation
import Envelope
import Glibc

/// The input of a pass: a file that is closed at the end, or standard input.
struct MessageInput: ~Copyable {
    let channel: ByteChannel

    /// Standard input is read in order even where it is a file: its position belongs to the shell.
    init(_ path: String) throws {
        guard path != "-" else {
            channel = ByteChannel(descriptor: STDIN_FILENO, access: .sequential)
            return
        }
        let descriptor = Glibc.open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw CommandFailure("The input \(path) cannot be read: \(String(cString: strerror(errno))).", MessageExit.noInput)
        }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT != S_IFDIR else {
            close(descriptor)
            throw CommandFailure("The input \(path) is a folder: name a file.", MessageExit.noInput)
        }
        channel = try ByteChannel.file(descriptor)
    }

    deinit { if channel.descriptor != STDIN_FILENO { close(channel.descriptor) } }
}
