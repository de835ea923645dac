import Synchronization

/// Numbers from nought, each taken once.
final class TakenNumbers: Sendable {
    private let value = Atomic<Int>(0)

    func take() -> Int { value.add(1, ordering: .relaxed).oldValue }
}
