import FoundationEssentials
import Keys
import Secrets
import Testing

/// Two replicas of one vault, in folders that can be taken away and brought back.
private struct TwoReplicas {
    let folder: Folder
    var a: String { folder.path + "/a" }
    var b: String { folder.path + "/b" }

    init() throws { folder = try Folder() }

    func open(_ directories: [String]? = nil, create: Bool = true) async throws -> Vault {
        try await Vault.open(
            directories: directories ?? [a, b], rootKeys: RootKeyFiles(file: folder.path + "/root.key"), create: create)
    }

    func takeAway(_ directory: String) throws {
        try FileManager.default.moveItem(atPath: directory, toPath: directory + ".away")
    }

    func bringBack(_ directory: String) throws {
        try? FileManager.default.removeItem(atPath: directory)
        try FileManager.default.moveItem(atPath: directory + ".away", toPath: directory)
    }

    func has(_ file: String) -> Bool { FileManager.default.fileExists(atPath: folder.path + "/" + file) }
    func remove(_ file: String) throws { try FileManager.default.removeItem(atPath: folder.path + "/" + file) }
    func touch(_ file: String) { #expect(FileManager.default.createFile(atPath: folder.path + "/" + file, contents: nil)) }
}

private nonisolated(nonsending) func failure(_ body: () async throws -> Void) async -> VaultError.Code? {
    do {
        try await body()
        return nil
    } catch {
        return (error as? VaultError)?.code
    }
}

private func bytes(_ secret: Secrets.SharedSecret) throws -> [UInt8] { try secret.withUnsafeBytes { Array($0) } }

@Suite struct ReplicaTests {
    @Test func aSecretIsInEveryReplicaOrInNone() async throws {
        let two = try TwoReplicas()
        let vault = try await two.open()
        try await vault.createShredSecret(named: "k")
        #expect(two.has("a/k.shred") && two.has("b/k.shred"))

        // Something in the way in the second replica: the first takes back what it wrote.
        try FileManager.default.createDirectory(atPath: two.b + "/x.shred", withIntermediateDirectories: false)
        #expect(await failure { try await vault.createShredSecret(named: "x") } != nil)
        #expect(!two.has("a/x.shred"))

        try two.takeAway(two.b)
        #expect(await failure { try await vault.createShredSecret(named: "y") } == .away)
        #expect(!two.has("a/y.shred"))
    }

    @Test func aLostCopyIsMadeAgainByReading() async throws {
        let two = try TwoReplicas()
        let vault = try await two.open()
        try await vault.createShredSecret(named: "k")
        let secret = try bytes(try await vault.shredSecret(named: "k"))
        for lost in ["a/k.shred", "b/k.shred"] {
            try two.remove(lost)
            #expect(try bytes(try await vault.shredSecret(named: "k")) == secret)
            #expect(two.has(lost))
        }
        // One replica is enough for reading.
        try two.takeAway(two.a)
        #expect(try bytes(try await vault.shredSecret(named: "k")) == secret)
        #expect(!two.has("a"))
    }

    @Test func whatOneReplicaSaysIsDestroyedIsDead() async throws {
        let two = try TwoReplicas()
        let vault = try await two.open()
        try await vault.createShredSecret(named: "k")
        // As after a deletion that reached one replica alone.
        two.touch("b/k.gone")
        #expect(await failure { _ = try await vault.shredSecret(named: "k") } == .absent)
        try two.remove("b/k.shred")
        #expect(await failure { _ = try await vault.shredSecret(named: "k") } == .absent)
        #expect(!two.has("b/k.shred"), "a dead secret was copied")
        #expect(await failure { try await vault.createShredSecret(named: "k") } == .absent)

        let repair = try await vault.repair()
        #expect(repair.buried == 1 && repair.destroyed == 1)
        #expect(two.has("a/k.gone") && !two.has("a/k.shred"))
        #expect(try await vault.repair() == (try await two.open().repair()))
    }

    @Test func aDestructionIsPendingUntilEveryReplicaConfirmed() async throws {
        let two = try TwoReplicas()
        let vault = try await two.open()
        try await vault.createShredSecret(named: "k")
        try two.takeAway(two.b)
        #expect(await failure { try await vault.destroyShredSecret(named: "k") } == .pending)
        #expect(two.has("a/k.gone") && !two.has("a/k.shred"))
        #expect(await failure { _ = try await vault.shredSecret(named: "k") } == .absent)
        // An empty mount point has no file of that name either: that is no confirmation.
        try FileManager.default.createDirectory(atPath: two.b, withIntermediateDirectories: false)
        #expect(await failure { try await vault.destroyShredSecret(named: "k") } == .pending)
        #expect(try FileManager.default.contentsOfDirectory(atPath: two.b).isEmpty)

        try two.bringBack(two.b)
        #expect(two.has("b/k.shred"))
        #expect(await failure { _ = try await vault.shredSecret(named: "k") } == .absent)
        #expect(await failure { try await vault.destroyShredSecret(named: "k") } == nil)
        #expect(!two.has("b/k.shred") && two.has("b/k.gone"))
        #expect(await failure { try await vault.destroyShredSecret(named: "k") } == nil)
    }

    @Test func whatAnAwayReplicaMayHaveIsNotCalledDestroyed() async throws {
        let two = try TwoReplicas()
        let vault = try await two.open()
        try await vault.createShredSecret(named: "k")
        try two.remove("a/k.shred")
        try two.takeAway(two.b)
        #expect(await failure { _ = try await vault.shredSecret(named: "k") } == .away)
    }

    @Test func aReaderThatWasSlowDoesNotBringASecretBack() async throws {
        let two = try TwoReplicas()
        let vault = try await two.open()
        try await vault.createShredSecret(named: "k")
        let secret = try await vault.shredSecret(named: "k")
        try two.remove("b/k.shred")
        try await vault.supply(secret, named: "k")
        #expect(two.has("b/k.shred"))
        try await vault.destroyShredSecret(named: "k")
        #expect(await failure { try await vault.supply(secret, named: "k") } == .absent)
        #expect(!two.has("a/k.shred") && !two.has("b/k.shred"))
    }

    @Test func noReaderBringsASecretBackWhileItIsDestroyed() async throws {
        let two = try TwoReplicas()
        let vault = try await two.open()
        for round in 0..<40 {
            let name = "k\(round)"
            try await vault.createShredSecret(named: name)
            try two.remove("b/\(name).shred")
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                for _ in 0..<4 {
                    tasks.addTask { _ = try? await vault.shredSecret(named: name) }
                }
                tasks.addTask { try await vault.destroyShredSecret(named: name) }
                try await tasks.waitForAll()
            }
            #expect(!two.has("a/\(name).shred") && !two.has("b/\(name).shred"), "round \(round)")
        }
    }

    @Test func directoriesOfDifferentVaultsAreRefused() async throws {
        let two = try TwoReplicas()
        _ = try await two.open([two.a])
        _ = try await two.open([two.b])
        #expect(await failure { _ = try await two.open() } == .foreign)
    }

    @Test func aVaultIsMadeOnceAndLaterReplicasAreAddedOnPurpose() async throws {
        let two = try TwoReplicas()
        #expect(await failure { _ = try await two.open(create: false) } == .absent)
        let alone = try await two.open([two.a])
        try await alone.createShredSecret(named: "k")
        let both = try await two.open()
        #expect(both.id == alone.id)
        #expect(await failure { try await both.createShredSecret(named: "l") } == .away)
        let repair = try await both.repair(adding: true)
        #expect(repair.added == 1 && repair.copied == 2)
        #expect(two.has("b/k.shred"))
        try await both.createShredSecret(named: "l")
        let reports = try await Vault.inspect([two.a, two.b, two.folder.path + "/c"])
        #expect(reports.map(\.state) == [.there, .there, .away])
        #expect(reports.map(\.number) == [1, 2, nil] && reports[0].secrets == 3)
    }

    @Test func theFolderOfAnOlderVersionBecomesAVault() async throws {
        let two = try TwoReplicas()
        let before = try await two.open([two.a])
        try await before.createShredSecret(named: "k")
        let secret = try bytes(try await before.shredSecret(named: "k"))
        try two.remove("a/vault.mark")
        let vault = try await two.open([two.a], create: false)
        #expect(try bytes(try await vault.shredSecret(named: "k")) == secret)
    }

    @Test func processesThatNameReplicasInAnotherOrderMakeOneSecret() async throws {
        let two = try TwoReplicas()
        let one = try await two.open()
        let other = try await two.open([two.b, two.a])
        for round in 0..<20 {
            async let first = one.shredSecret(createdOnDemand: "s\(round)")
            async let second = other.shredSecret(createdOnDemand: "s\(round)")
            #expect(try bytes(try await first) == bytes(try await second))
        }
    }
}

@Suite struct RootKeySourceTests {
    private func write(_ path: String, mode: Int, count: Int = 32) throws {
        #expect(FileManager.default.createFile(atPath: path, contents: Data(repeating: 7, count: count)))
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
    }

    @Test(arguments: [
        (0o600, true, true), (0o400, true, true), (0o440, false, true), (0o640, false, true), (0o460, false, false),
        (0o444, false, false), (0o660, false, false),
    ])
    func modesOfFilesAndOfMountedSecrets(mode: Int, isFile: Bool, isMounted: Bool) async throws {
        let folder = try Folder()
        let path = folder.path + "/root.key"
        try write(path, mode: mode)
        #expect(await failure { _ = try await RootKeyFiles(file: path).read(1) } == (isFile ? nil : .unsafe))
        #expect(await failure { _ = try await RootKeyFiles(file: path, isMounted: true).read(1) } == (isMounted ? nil : .unsafe))
    }

    @Test func aMountedSecretMayBeALinkAndIsNeverMade() async throws {
        let folder = try Folder()
        let path = folder.path + "/root.key"
        try write(folder.path + "/data", mode: 0o440)
        try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: folder.path + "/data")
        let mounted = RootKeyFiles(file: path, isMounted: true)
        #expect(try await mounted.read(1).count == 32)
        #expect(await failure { _ = try await RootKeyFiles(file: path).read(1) } != nil)
        #expect(await failure { try await mounted.make(2) } == .absent)
        #expect(await failure { try await mounted.destroy(1) } == .unsafe)
        #expect(try await mounted.versions() == [1])
    }

    @Test func versionsAreFilesBesideTheFirst() async throws {
        let folder = try Folder()
        let source = RootKeyFiles(file: folder.path + "/root.key")
        #expect(try await source.versions().isEmpty)
        for version in [1, 2, 10] { try await source.make(version) }
        for name in ["root.key.x", "root.key.1", "root.key.", "other.3"] {
            #expect(FileManager.default.createFile(atPath: folder.path + "/" + name, contents: nil))
        }
        #expect(try await source.versions() == [1, 2, 10])
        #expect(await failure { try await source.make(2) } == .alreadyExists)
        try await source.destroy(1)
        #expect(try await source.versions() == [2, 10])
        #expect(await failure { _ = try await source.read(1) } == .absent)
    }

    /// A KMS that wraps by turning bits over, and refuses a blob under another version's context.
    private struct Turning: RootKeyWrapper {
        func generate(version: Int) async throws -> [UInt8] {
            SecretBytes.random(count: 32).withUnsafeBytes { [UInt8(version)] + $0.map { ~$0 } }
        }

        func unwrap(_ wrapped: [UInt8], version: Int) async throws -> Secrets.SharedSecret {
            guard wrapped.first == UInt8(version) else { throw VaultError(.sealBroken, "Wrong context.") }
            return Secrets.SharedSecret(SecretBytes(count: 32) { $0.copyBytes(from: wrapped.dropFirst().map { ~$0 }) })
        }
    }

    @Test func aWrappedRootKeyOpensTheVaultAndItsFilesAreNotInterchangeable() async throws {
        let folder = try Folder()
        let path = folder.path + "/root.key"
        let source = WrappedRootKeys(file: path, wrapper: Turning())
        let vault = try await Vault.open(directories: [folder.path + "/v"], rootKeys: source, create: true)
        let sealer = VaultSealer(vault: vault)
        let sealed = try await sealer.seal(
            Secrets.SharedSecret(SecretBytes(count: 1) { $0.copyBytes(from: [42]) }), label: "l")
        let again = try await Vault.open(directories: [folder.path + "/v"], rootKeys: source, create: false)
        #expect(try bytes(try await VaultSealer(vault: again).open(sealed, label: "l")) == [42])
        #expect(FileManager.default.contents(atPath: path)?.count == 33)
        try FileManager.default.copyItem(atPath: path, toPath: path + ".2")
        #expect(await failure { _ = try await source.read(2) } == .sealBroken)
        try FileManager.default.removeItem(atPath: path)
        #expect(FileManager.default.createFile(atPath: path, contents: Data()))
        #expect(await failure { _ = try await source.read(1) } == .unsafe)
    }
}
