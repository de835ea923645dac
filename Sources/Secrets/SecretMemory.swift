import CLinux

/// The memory of this process's secrets: what it does where locking fails, and what `doctor` tells of it.
package enum SecretMemory {
    /// What must be lockable at start where locking is required.
    package static let requiredBytes = 1 << 20
    /// What must be lockable for a call that needs a secret to be admitted there.
    package static let admissionBytes = 128 << 10

    /// How often pages could not be locked since the process began. Their secrets are wiped all the same, but may reach swap.
    package static var lockFailures: Int { SecretPool.shared.lockFailures }

    /// Has each failure told, for counting and logging. `body` must make no secret.
    package static func onLockFailure(_ body: @escaping @Sendable () -> Void) { SecretPool.shared.onLockFailure(body) }

    package static var usage: SecretPool.Usage { SecretPool.shared.usage }

    /// Soft limit of locked memory; `nil` where unlimited. A process with CAP_IPC_LOCK is not bound by it.
    package static var lockLimitBytes: UInt64? {
        let limit = clinux_locked_memory_limit_bytes()
        return limit == .max ? nil : limit
    }

    /// Tries it: limits, capabilities and what is locked already all have their say.
    package static func canLock(_ bytes: Int) -> Bool { SecretPool.shared.canLock(bytes) }

    /// From now on no secret is kept in memory that is not locked. Throws ``SecretError/Code/locking`` where the host
    /// does not allow ``requiredBytes``.
    package static func requireLocking() throws(SecretError) {
        guard canLock(requiredBytes) else { throw .locking(requiredBytes) }
        SecretPool.shared.requireLocking()
    }

    /// Where locking is required, throws ``SecretError/Code/locking`` before a call makes secrets for which there is no
    /// room; past this check the process would have to end. Elsewhere it does nothing.
    package static func admit() throws(SecretError) {
        guard SecretPool.shared.requiresLocking, !canLock(admissionBytes) else { return }
        throw .locking(admissionBytes)
    }
}
