import Glibc

/// The folder in which a broker says where it is. Locked for as long as the process lives, so that a second broker does
/// not take the first one's clients.
final class DataFolder {
    private let path: String
    private let lock: Int32

    var addressPath: String { path + "/broker.address" }

    init(_ path: String) throws {
        self.path = path
        guard mkdir(path, 0o700) == 0 || errno == EEXIST else {
            throw Failure("\(path) cannot be made: \(String(cString: strerror(errno)))")
        }
        lock = open(path + "/broker.lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard lock >= 0 else { throw Failure("\(path) cannot be written: \(String(cString: strerror(errno)))") }
        guard flock(lock, LOCK_EX | LOCK_NB) == 0 else {
            close(lock)
            throw Failure("another broker uses \(path)")
        }
        // Of one that was killed: nobody is there.
        withdrawAddress()
    }

    deinit { close(lock) }

    /// Written beside and renamed: a reader sees the whole address or the former one.
    func publish(address: String) throws {
        let draft = addressPath + ".new"
        let file = open(draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard file >= 0 else { throw Failure("\(draft) cannot be written: \(String(cString: strerror(errno)))") }
        let line = Array((address + "\n").utf8)
        let written = write(file, line, line.count)
        guard close(file) == 0, written == line.count, rename(draft, addressPath) == 0 else {
            throw Failure("\(addressPath) cannot be written: \(String(cString: strerror(errno)))")
        }
    }

    /// Takes the address back at the end; the lock says that it is still this broker's.
    func withdrawAddress() { unlink(addressPath) }
}
