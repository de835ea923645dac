import ArgumentParser

/// Bytes of a plaintext as HTTP's `Range` header names them, both ends included: `0-99`, `100-`, `-100` (the last hundred).
enum PlaintextRange: ExpressibleByArgument, Equatable {
    case from(Int, through: Int?)
    case last(Int)

    init?(argument: String) {
        let parts = argument.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 2 else { return nil }
        let ends = parts.map { ByteCount.digits($0) }
        switch (ends[0], ends[1]) {
        case (let first?, let last?) where first <= last && last < Int.max: self = .from(first, through: last)
        case (let first?, nil) where parts[1].isEmpty: self = .from(first, through: nil)
        case (nil, let count?) where parts[0].isEmpty && count > 0: self = .last(count)
        default: return nil
        }
    }

    /// The part of it that a plaintext of this length has, as a server would send it; nil where it has no byte of it.
    func resolved(in plaintextBytes: Int) -> Range<Int>? {
        switch self {
        case .from(let first, let last):
            guard first < plaintextBytes else { return nil }
            return first..<min((last ?? plaintextBytes - 1) + 1, plaintextBytes)
        case .last(let count):
            guard plaintextBytes > 0 else { return nil }
            return max(0, plaintextBytes - count)..<plaintextBytes
        }
    }
}
