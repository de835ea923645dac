import Envelope

/// Opens the same bytes in memory, as a file, as a pipe and by range, by each cipher.
enum OpeningCheck {
    /// Input: range (2 × 2 bytes), message. All `openings` must agree: they differ in their ciphers alone.
    static func run(_ input: ArraySlice<UInt8>, _ openings: [MessageOpening]) async throws {
        var reader = FuzzReader(input)
        let (from, to) = (reader.short(), reader.short())
        let message = reader.remaining()
        let opening = openings[0]
        let whole = try await opening.inMemory(message)
        for other in openings {
            for way in MessageOpening.Way.allCases {
                let outcome = try await other.attempt(message, way).outcome
                guard outcome.agrees(with: whole) else {
                    throw FuzzFinding("\(opening.backend.name), in memory: \(whole); \(other.backend.name), \(way): \(outcome)")
                }
            }
        }
        guard case .opened(let plaintext) = whole else { return }
        let lower = from % (plaintext.count + 1)
        let upper = lower + to % (plaintext.count - lower + 1)
        guard let range = try await opening.range(lower..<upper, message) else { return }
        guard range == Array(plaintext[lower..<upper]) else {
            throw FuzzFinding("the range \(lower)..<\(upper) differs from the same bytes of the whole message")
        }
    }
}
