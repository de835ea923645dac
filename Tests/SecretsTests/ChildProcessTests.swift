import Glibc
import Secrets
import Testing

/// What holds for a whole process is tried in one of its own.
@Suite struct ChildProcessTests {
    @Test func whereLockingFailsSecretsAreKeptAndCounted() async {
        await #expect(processExitsWith: .success) {
            try forbidLocking()
            let secret = SecretBytes.random(count: 32)
            let same = SecretBytes(count: 32) { target in secret.withUnsafeBytes { target.copyMemory(from: $0) } }
            let isSame = same.constantTimeEquals(secret)
            #expect(isSame)
            #expect(SecretMemory.lockFailures > 0)
            #expect(SecretMemory.usage.lockedBytes == 0 && SecretMemory.usage.unlockedBytes > 0)
            #expect(SecretMemory.lockLimitBytes == 0)
            try SecretMemory.admit()
        }
    }

    @Test func whereLockingIsRequiredAndFailsTheProcessIsToldAtItsStart() async {
        await #expect(processExitsWith: .success) {
            try forbidLocking()
            let error = #expect(throws: SecretError.self) { try SecretMemory.requireLocking() }
            #expect(error?.code == .locking && error?.isRetriable == true)
        }
    }

    @Test(.enabled(if: canAllowLocking)) func whereLockingIsRequiredCallsAreRefusedBeforeMemoryRunsOut() async {
        await #expect(processExitsWith: .success) {
            try setLockLimit(lockableBytes)
            try SecretMemory.requireLocking()
            try SecretMemory.admit()
            var held: [SharedSecret] = []
            while SecretMemory.canLock(SecretMemory.admissionBytes) {
                held.append(SharedSecret(SecretBytes(count: 4096) { _ in }))
                try #require(held.count < 1000)
            }
            #expect(throws: SecretError.self) { try SecretMemory.admit() }
            #expect(SecretMemory.lockFailures == 0)
            held = []
            try SecretMemory.admit()
        }
    }

    @Test(.enabled(if: canAllowLocking)) func whereLockingIsRequiredNoSecretIsKeptUnlocked() async {
        await #expect(processExitsWith: .failure) {
            try setLockLimit(lockableBytes)
            try SecretMemory.requireLocking()
            try setLockLimit(0)
            _ = SharedSecret(SecretBytes.random(count: 32))
        }
    }

    @Test func readingPastASecretsPagesFaults() async {
        await #expect(processExitsWith: .signal(SIGSEGV)) {
            try ProcessHardening.apply()
            let secret = SecretBytes(count: 4096) { _ in }
            secret.withUnsafeBytes { bytes in
                // The byte must be used: an optimising compiler leaves out a read that nobody looks at.
                let byte = UnsafeRawBufferPointer(start: bytes.baseAddress, count: 4097)[4096]
                exit(Int32(byte))
            }
        }
    }

    @Test func aHardenedProcessLeavesNoCore() async {
        await #expect(processExitsWith: .success) {
            try ProcessHardening.apply()
            #expect(!ProcessHardening.isDumpable)
            #expect(ProcessHardening.coreLimitBytes == 0)
        }
    }
}

private let nobody: uid_t = 65_534
private let lockableBytes: UInt = 2 << 20
/// RLIMIT_MEMLOCK, whose name Swift does not see.
private let lockLimit = __rlimit_resource_t(8)

/// Whether the limit can be as high as a test needs it.
private let canAllowLocking: Bool = {
    var limit = rlimit()
    return geteuid() == 0 || (getrlimit(lockLimit, &limit) == 0 && limit.rlim_max >= lockableBytes)
}()

private func setLockLimit(_ bytes: UInt) throws {
    var limit = rlimit()
    try #require(getrlimit(lockLimit, &limit) == 0)
    limit.rlim_cur = bytes
    limit.rlim_max = max(limit.rlim_max, bytes)
    try #require(setrlimit(lockLimit, &limit) == 0)
    // The superuser's capability would lift the limit.
    if geteuid() == 0 { try #require(setuid(nobody) == 0) }
}

/// Before any secret is made: what is locked stays locked.
private func forbidLocking() throws { try setLockLimit(0) }
