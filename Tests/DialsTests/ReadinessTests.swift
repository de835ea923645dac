import AWSProtocol
import Dials
import Synchronization
import Testing

struct ReadinessTests {
    private struct Away: Error, CustomStringConvertible {
        var description: String { "connection refused" }
    }

    /// Runs `body` while the readiness answers.
    private func served(_ readiness: Readiness, _ body: @Sendable @escaping () async throws -> Void) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await readiness.run() }
            try await body()
            group.cancelAll()
        }
    }

    @Test func eachDependencyIsToldByNameAndTheReasonOfTheOneThatFails() async throws {
        let readiness = Readiness(
            process: "api", checks: [DependencyCheck("postgres-jobs") { throw Away() }, DependencyCheck("kafka") {}])
        try await served(readiness) {
            let report = await readiness.report()
            #expect(!report.isReady)
            #expect(report.findings.map(\.name) == ["postgres-jobs", "kafka"])
            #expect(report.findings.map(\.failure) == ["connection refused", nil])
            #expect(report.json["ready"]?.boolValue == false)
            #expect(report.json["checks"]?.arrayValue?.first?["why"]?.stringValue == "connection refused")
        }
    }

    @Test func manyWhoAskAreAnsweredByOneRound() async throws {
        let rounds = Atomic<Int>(0)
        let readiness = Readiness(
            process: "api",
            checks: [DependencyCheck("kafka") { rounds.add(1, ordering: .relaxed) }], keptFor: .seconds(3600))
        try await served(readiness) {
            await withTaskGroup(of: Bool.self) { group in
                for _ in 0..<100 { group.addTask { await readiness.report().isReady } }
                for await isReady in group { #expect(isReady) }
            }
        }
        #expect(rounds.load(ordering: .relaxed) == 1)
    }

    @Test func whatDoesNotAnswerInTimeFails() async throws {
        let readiness = Readiness(
            process: "worker", checks: [DependencyCheck("kafka") { try await Task.sleep(for: .seconds(3600)) }],
            askedFor: .milliseconds(20))
        try await served(readiness) {
            let failure = await readiness.report().findings.first?.failure
            #expect(failure?.hasPrefix("no answer within") == true)
        }
    }

    @Test func whyIsBounded() async throws {
        struct Long: Error, CustomStringConvertible {
            var description: String { String(repeating: "x", count: 10_000) }
        }
        let readiness = Readiness(process: "worker", checks: [DependencyCheck("kafka") { throw Long() }])
        try await served(readiness) {
            #expect(await readiness.report().findings.first?.failure?.count == Readiness.reasonCharacters)
        }
    }

    @Test func aProcessThatIsToEndIsNotReady() async throws {
        let readiness = Readiness(process: "worker", checks: [])
        try await served(readiness) {
            #expect(await readiness.report().isReady)
            await readiness.stop()
            let report = await readiness.report()
            #expect(!report.isReady && report.isStopping)
        }
    }
}
