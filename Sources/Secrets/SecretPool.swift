import CLinux
import Glibc
import Synchronization

/// Hands out memory for secrets: small ones share locked pages, each of one size of slot; larger ones have pages of
/// their own.
///
/// The kernel locks by page and does not count locks, so sharing has to be known here: a page is unlocked when its last
/// secret is gone. With a page for each, 2,048 keys of 32 bytes would use the usual limit of 8 MiB up; so 262,144 do.
/// One page of each size stays when it is empty, which spares a call for a data key every system call.
package final class SecretPool: Sendable {
    /// What was handed out. Given back once, by who holds it.
    struct Piece {
        let base: UnsafeMutableRawPointer
        let bytes: Int
        fileprivate let page: SharedPage?
        /// Of a piece with pages of its own; a shared page knows of itself.
        fileprivate let isLocked: Bool
    }

    /// What the pool holds, for people and tests.
    package struct Usage: Sendable, Equatable {
        package var secrets = 0
        package var lockedBytes = 0
        /// In pages that could not be locked.
        package var unlockedBytes = 0
    }

    package static let shared = SecretPool()

    /// Slots of shared pages have a power of two from the smallest to the largest of these.
    static let smallestSlotBytes = 32
    static let largestSlotBytes = 2048

    private struct State {
        /// Pages with a free slot, for each size of slot.
        var open: [[SharedPage]] = Array(
            repeating: [], count: 1 + (largestSlotBytes / smallestSlotBytes).trailingZeroBitCount)
        var usage = Usage()
    }

    private let state = Mutex(State())
    private let failures = Atomic<Int>(0)
    private let isLockingRequired = Atomic<Bool>(false)
    private let failureObserver = Mutex<(@Sendable () -> Void)?>(nil)
    private let pageBytes = max(4096, Int(sysconf(Int32(_SC_PAGESIZE))))

    package init() {}

    package var usage: Usage { state.withLock { $0.usage } }

    /// How often pages could not be locked.
    package var lockFailures: Int { failures.load(ordering: .relaxed) }

    /// From now on a secret that cannot be locked is no secret: there is no memory for it.
    func requireLocking() { isLockingRequired.store(true, ordering: .relaxed) }
    var requiresLocking: Bool { isLockingRequired.load(ordering: .relaxed) }

    /// `body` is called at each failure, by whoever asked for the memory; it must make no secret.
    func onLockFailure(_ body: @escaping @Sendable () -> Void) { failureObserver.withLock { $0 = body } }

    /// Zeroed bytes, at least `count`.
    func take(_ count: Int) -> Piece {
        guard count <= Self.largestSlotBytes else {
            let bytes = (count + pageBytes - 1) / pageBytes * pageBytes
            let (base, isLocked) = map(bytes)
            state.withLock { state in
                state.usage.secrets += 1
                Self.count(bytes, isLocked, &state.usage)
            }
            return Piece(base: base, bytes: bytes, page: nil, isLocked: isLocked)
        }
        let (size, slotBytes) = Self.slot(for: count)
        return state.withLock { state in
            if state.open[size].isEmpty {
                let (base, isLocked) = map(pageBytes)
                state.open[size].append(
                    SharedPage(base: base, size: size, slots: pageBytes / slotBytes, isLocked: isLocked))
                Self.count(pageBytes, isLocked, &state.usage)
            }
            let page = state.open[size][state.open[size].count - 1]
            let slot = page.free.removeLast()
            if page.free.isEmpty { state.open[size].removeLast() }
            state.usage.secrets += 1
            return Piece(base: page.base + slot * slotBytes, bytes: slotBytes, page: page, isLocked: page.isLocked)
        }
    }

    /// Overwrites the piece and takes it back.
    func giveBack(_ piece: Piece) {
        clinux_wipe(piece.base, piece.bytes)
        guard let page = piece.page else {
            clinux_secret_unmap(piece.base, piece.bytes)
            state.withLock { state in
                state.usage.secrets -= 1
                Self.count(-piece.bytes, piece.isLocked, &state.usage)
            }
            return
        }
        let isSurplus = state.withLock { state in
            state.usage.secrets -= 1
            if page.free.isEmpty { state.open[page.size].append(page) }
            page.free.append((piece.base - page.base) / piece.bytes)
            // An empty page stays for the next secret, unless it is not locked: a new one may be.
            guard page.free.count == page.slots, state.open[page.size].count > 1 || !page.isLocked else { return false }
            state.open[page.size].removeAll { $0 === page }
            Self.count(-pageBytes, page.isLocked, &state.usage)
            return true
        }
        if isSurplus { clinux_secret_unmap(page.base, pageBytes) }
    }

    /// Whether that many bytes more can be locked now.
    func canLock(_ bytes: Int) -> Bool {
        var isLocked: Int32 = 0
        let rounded = (bytes + pageBytes - 1) / pageBytes * pageBytes
        guard let base = clinux_secret_map(rounded, &isLocked) else { return false }
        clinux_secret_unmap(base, rounded)
        return isLocked != 0
    }

    private func map(_ bytes: Int) -> (base: UnsafeMutableRawPointer, isLocked: Bool) {
        var isLocked: Int32 = 0
        guard let base = clinux_secret_map(bytes, &isLocked) else {
            // As Swift's own allocations: there is no way on without a page.
            preconditionFailure("No memory for a secret of \(bytes) bytes.")
        }
        if isLocked == 0 {
            failures.add(1, ordering: .relaxed)
            precondition(!requiresLocking, "No locked memory for a secret, and the configuration requires it.")
            failureObserver.withLock { $0 }?()
        }
        return (base, isLocked != 0)
    }

    private static func slot(for count: Int) -> (size: Int, bytes: Int) {
        var size = 0
        var bytes = smallestSlotBytes
        while bytes < count {
            size += 1
            bytes *= 2
        }
        return (size, bytes)
    }

    private static func count(_ bytes: Int, _ isLocked: Bool, _ usage: inout Usage) {
        if isLocked { usage.lockedBytes += bytes } else { usage.unlockedBytes += bytes }
    }
}

/// A page cut into slots of one size. What changes is guarded by the pool's lock.
private final class SharedPage: @unchecked Sendable {
    // Sendable: `free` is touched under the pool's lock alone, everything else is constant.
    let base: UnsafeMutableRawPointer
    /// Index of the slots' size in the pool's table.
    let size: Int
    let slots: Int
    let isLocked: Bool
    /// Numbers of the free slots.
    var free: [Int]

    init(base: UnsafeMutableRawPointer, size: Int, slots: Int, isLocked: Bool) {
        self.base = base
        self.size = size
        self.slots = slots
        self.isLocked = isLocked
        free = Array((0..<slots).reversed())
    }
}
