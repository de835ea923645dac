/// Work beside other work, for as long as that lasts.
enum Companion {
    /// Runs `body` and, beside it, `companion`, which is cancelled when `body` has ended. What `companion` throws ends both.
    static func running<R: Sendable>(
        _ companion: @escaping @Sendable () async throws -> Void, beside body: @escaping @Sendable () async throws -> R
    ) async throws -> R {
        try await withThrowingTaskGroup(of: R?.self) { group in
            defer { group.cancelAll() }
            group.addTask { try await body() }
            group.addTask {
                try await companion()
                return nil
            }
            while let result = try await group.next() {
                if let result { return result }
            }
            throw CancellationError()
        }
    }
}
