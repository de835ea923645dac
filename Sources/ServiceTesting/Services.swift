package import ServiceLifecycle

/// Something that a test waited for did not come.
package struct Waited: Error, CustomStringConvertible {
    package let description: String
}

/// Runs services beside `body` and cancels them after it.
package func with<Answer: Sendable>(
    _ services: any Service..., body: @escaping @Sendable () async throws -> Answer
) async throws -> Answer {
    try await withThrowingTaskGroup(of: Answer?.self) { group in
        for service in services {
            group.addTask {
                try await service.run()
                return nil
            }
        }
        group.addTask { try await body() }
        while let answer = try await group.next() {
            if let answer {
                group.cancelAll()
                return answer
            }
        }
        throw Waited(description: "the services ended before the test did")
    }
}

/// What `body` answers, if it does so within what a busy machine may take; else fails saying what was waited for.
package func within<Answer: Sendable>(
    _ what: String, limit: Duration = .seconds(120), body: @escaping @Sendable () async throws -> Answer
) async throws -> Answer {
    try await withThrowingTaskGroup(of: Answer?.self) { group in
        group.addTask { try await body() }
        group.addTask {
            try await Task.sleep(for: limit)
            return nil
        }
        defer { group.cancelAll() }
        guard let answer = try await group.next() ?? nil else { throw Waited(description: "waited \(limit) for \(what)") }
        return answer
    }
}
