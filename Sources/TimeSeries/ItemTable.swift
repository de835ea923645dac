/// Gives each distinct item key a number from 0 in order of first appearance.
///
/// Open addressing over hashes seeded per process, so that no file can be made to collide; numbers never depend on the seed.
/// Not `Sendable`: one owner at a time.
final class ItemTable {
    private static let seed = UInt64.random(in: .min ... .max) | 1

    private(set) var count = 0
    private(set) var arena: UnsafeMutablePointer<UInt8>
    private(set) var arenaBytes = 0
    private var arenaCapacity = 1 << 16
    private(set) var offsets: [Int] = [0]
    private var hashes: [UInt64] = []
    private var slots: [UInt32]

    init() {
        arena = .allocate(capacity: arenaCapacity)
        slots = [UInt32](repeating: 0, count: 1 << 10)
    }

    deinit { arena.deallocate() }

    /// The key's bytes, valid until the next insertion.
    @inline(__always)
    func key(_ item: Int) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: arena + offsets[item], count: offsets[item + 1] - offsets[item])
    }

    /// The number of the key, or nil where it is new.
    @inline(__always)
    func find(_ key: UnsafeRawBufferPointer, hash: UInt64) -> Int? {
        let mask = slots.count - 1
        var slot = Int(truncatingIfNeeded: hash) & mask
        while slots[slot] != 0 {
            let item = Int(slots[slot]) - 1
            if hashes[item] == hash, isEqual(self.key(item), key) { return item }
            slot = (slot + 1) & mask
        }
        return nil
    }

    /// Adds a key that `find` did not know.
    func insert(_ key: UnsafeRawBufferPointer, hash: UInt64) -> Int {
        if (count + 1) * 2 > slots.count { grow() }
        if arenaBytes + key.count > arenaCapacity { growArena(by: key.count) }
        if let base = key.baseAddress { UnsafeMutableRawPointer(arena + arenaBytes).copyMemory(from: base, byteCount: key.count) }
        arenaBytes += key.count
        offsets.append(arenaBytes)
        hashes.append(hash)
        place(count, hash)
        count += 1
        return count - 1
    }

    func intern(_ key: UnsafeRawBufferPointer) -> Int {
        let hash = Self.hash(key)
        return find(key, hash: hash) ?? insert(key, hash: hash)
    }

    private func place(_ item: Int, _ hash: UInt64) {
        let mask = slots.count - 1
        var slot = Int(truncatingIfNeeded: hash) & mask
        while slots[slot] != 0 { slot = (slot + 1) & mask }
        slots[slot] = UInt32(item + 1)
    }

    private func grow() {
        slots = [UInt32](repeating: 0, count: slots.count * 2)
        for item in 0..<count { place(item, hashes[item]) }
    }

    private func growArena(by bytes: Int) {
        arenaCapacity = max(arenaCapacity * 2, arenaBytes + bytes)
        let larger = UnsafeMutablePointer<UInt8>.allocate(capacity: arenaCapacity)
        larger.update(from: arena, count: arenaBytes)
        arena.deallocate()
        arena = larger
    }

    @inline(__always)
    static func hash(_ key: UnsafeRawBufferPointer) -> UInt64 {
        var hash = seed ^ UInt64(key.count)
        var offset = 0
        while offset + 8 <= key.count {
            hash = mix(hash ^ key.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
            offset += 8
        }
        var rest: UInt64 = 0
        while offset < key.count {
            rest = rest << 8 | UInt64(key[offset])
            offset += 1
        }
        return mix(hash ^ rest)
    }

    @inline(__always)
    private static func mix(_ value: UInt64) -> UInt64 {
        let (high, low) = (value ^ 0x9E37_79B9_7F4A_7C15).multipliedFullWidth(by: 0xD6E8_FEB8_6659_FD93 ^ seed)
        return high ^ low
    }
}

@inline(__always)
func isEqual(_ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer) -> Bool {
    guard left.count == right.count else { return false }
    var offset = 0
    while offset + 8 <= left.count {
        if left.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
            != right.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
        {
            return false
        }
        offset += 8
    }
    while offset < left.count {
        if left[offset] != right[offset] { return false }
        offset += 1
    }
    return true
}
