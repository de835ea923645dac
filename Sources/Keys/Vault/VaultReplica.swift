import FoundationEssentials
import Glibc
import Secrets

/// One directory of the vault: `<name>.shred` a secret, `<name>.gone` the tombstone of one that was destroyed. All of it
/// blocks.
struct VaultReplica: Sendable {
    static let secretSuffix = ".shred"
    static let tombstoneSuffix = ".gone"
    static let stateFile = "security.state"
    private static let lockFile = "security.lock"

    let directory: String

    /// Nil where the directory is away, or was never made a replica.
    func mark() throws(VaultError) -> ReplicaMark? {
        guard let bytes = try PlainFile.read(path(ReplicaMark.file)) else { return nil }
        return try ReplicaMark(parsing: String(decoding: bytes, as: UTF8.self))
    }

    /// The mark, where the replica is there and the vault's.
    func requireMark(of vault: UUID) throws(VaultError) -> ReplicaMark {
        guard let mark = try mark() else { throw VaultError(.away, "A replica of the vault is away.") }
        guard mark.vault == vault else { throw VaultError(.foreign, "A directory belongs to another vault.") }
        return mark
    }

    func setMark(_ mark: ReplicaMark) throws(VaultError) {
        if mkdir(directory, 0o700) != 0, errno != EEXIST { throw .system("mkdir", errno) }
        try PlainFile.create(path(ReplicaMark.file), Array(mark.text.utf8))
    }

    // MARK: Secrets

    func create(_ name: String, _ secret: borrowing SecretBytes) throws(VaultError) {
        try SecretFile.create(secretPath(name), secret)
    }

    func read(_ name: String) throws(VaultError) -> SecretBytes {
        try SecretFile.read(secretPath(name), count: Vault.secretBytes)
    }

    func hasSecret(_ name: String) throws(VaultError) -> Bool { try PlainFile.exists(secretPath(name)) }

    func destroy(_ name: String) throws(VaultError) { try SecretFile.destroy(secretPath(name)) }

    func hasTombstone(_ name: String) throws(VaultError) -> Bool { try PlainFile.exists(tombstonePath(name)) }

    /// From now on no secret of that name counts, here or in another replica.
    func bury(_ name: String) throws(VaultError) {
        do {
            try PlainFile.create(tombstonePath(name), [])
        } catch  where error.code == .alreadyExists {
            return
        }
    }

    /// Names of secrets and of tombstones.
    func names() throws(VaultError) -> (secrets: Set<String>, tombstones: Set<String>) {
        let files: [String]
        do {
            files = try FileManager.default.contentsOfDirectory(atPath: directory)
        } catch {
            throw VaultError(.system, "A replica of the vault cannot be listed.")
        }
        func names(_ suffix: String) -> Set<String> {
            Set(files.filter { $0.hasSuffix(suffix) }.map { String($0.dropLast(suffix.count)) }.filter(KeyReference.isKeyID))
        }
        return (names(Self.secretSuffix), names(Self.tombstoneSuffix))
    }

    // MARK: State

    func state() throws(VaultError) -> SecurityState? {
        guard let bytes = try PlainFile.read(path(Self.stateFile)) else { return nil }
        return try SecurityState(parsing: String(decoding: bytes, as: UTF8.self))
    }

    /// Notes a state, never going back: several processes do it, each with what it read from the database last.
    func note(_ state: SecurityState) throws(VaultError) {
        let lock = open(path(Self.lockFile), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, mode_t(0o600))
        guard lock >= 0 else { throw .system("open", errno) }
        defer { _ = close(lock) }
        guard flock(lock, LOCK_EX) == 0 else { throw .system("flock", errno) }
        let known = try self.state()
        let merged = known?.merged(with: state) ?? state
        if merged != known { try PlainFile.replace(path(Self.stateFile), Array(merged.text.utf8)) }
    }

    /// Whether something can be written: tries it.
    var isWritable: Bool {
        let file = path(".probe-\(UInt64.random(in: 0 ... .max))")
        defer { _ = unlink(file) }
        return (try? PlainFile.create(file, [0])) != nil
    }

    private func path(_ file: String) -> String { directory + "/" + file }
    private func secretPath(_ name: String) -> String { path(Self.checked(name) + Self.secretSuffix) }
    private func tombstonePath(_ name: String) -> String { path(Self.checked(name) + Self.tombstoneSuffix) }

    private static func checked(_ name: String) -> String {
        precondition(KeyReference.isKeyID(name), "A shred secret's name is a key id: it becomes the name of a file.")
        return name
    }
}
