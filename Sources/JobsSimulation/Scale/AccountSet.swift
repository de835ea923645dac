/// A set of small numbers that answers in a few steps which member comes next, as an index of a database does.
struct AccountSet {
    private var levels: [[UInt64]]
    private(set) var count = 0

    init(capacity: Int) {
        var size = max(1, capacity)
        levels = []
        repeat {
            size = (size + 63) / 64
            levels.append(Array(repeating: 0, count: size))
        } while size > 1
    }

    func contains(_ member: Int) -> Bool { levels[0][member >> 6] & (1 << UInt64(member & 63)) != 0 }

    mutating func insert(_ member: Int) {
        guard !contains(member) else { return }
        count += 1
        var place = member
        for level in levels.indices {
            levels[level][place >> 6] |= 1 << UInt64(place & 63)
            place >>= 6
        }
    }

    mutating func remove(_ member: Int) {
        guard contains(member) else { return }
        count -= 1
        var place = member
        for level in levels.indices {
            levels[level][place >> 6] &= ~(1 << UInt64(place & 63))
            // The word above has a bit for this one as long as anything is in it.
            guard levels[level][place >> 6] == 0 else { return }
            place >>= 6
        }
    }

    /// The smallest member that is not below `start`.
    func next(from start: Int) -> Int? {
        var (level, place) = (0, start)
        while level < levels.count {
            let word = place >> 6
            guard word < levels[level].count else { return nil }
            let rest = levels[level][word] & (~0 << UInt64(place & 63))
            if rest != 0 {
                var found = word << 6 | rest.trailingZeroBitCount
                while level > 0 {
                    level -= 1
                    found = found << 6 | levels[level][found].trailingZeroBitCount
                }
                return found
            }
            (level, place) = (level + 1, word + 1)
        }
        return nil
    }
}
