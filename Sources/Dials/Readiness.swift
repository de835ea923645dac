import Synchronization
import Telemetry

/// Whether a process can do its work: asks each of its dependencies, all at once and each for a bounded time, at most once in
/// `keptFor` however many want to know.
///
/// The asking is done by `run()`, not by whoever wants to know: a client that hangs up spoils nobody's answer.
package actor Readiness {
    package static let askedFor: Duration = .seconds(2)
    package static let keptFor: Duration = .seconds(1)
    /// Of what is told about a failure.
    package static let reasonCharacters = 300

    private let process: String
    private let checks: [DependencyCheck]
    private let askedFor: Duration
    private let keptFor: Duration
    private let wishes = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    private var last: (report: ReadinessReport, at: ContinuousClock.Instant)?
    private var waiting: [CheckedContinuation<ReadinessReport, Never>] = []
    private var isStopping = false
    private var isOver = false

    package init(
        process: String, checks: [DependencyCheck], askedFor: Duration = Readiness.askedFor,
        keptFor: Duration = Readiness.keptFor
    ) {
        self.process = process
        self.checks = checks
        self.askedFor = askedFor
        self.keptFor = keptFor
    }

    /// The last report where it is young enough, else a new one.
    package func report() async -> ReadinessReport {
        if isStopping || isOver { return lastWords }
        if let last, ContinuousClock.now - last.at < keptFor { return last.report }
        return await withCheckedContinuation { continuation in
            waiting.append(continuation)
            wishes.continuation.yield()
        }
    }

    /// The process was asked to end: from now on it is not ready, so that nobody sends it anything new.
    package func stop() { isStopping = true }

    /// Answers until it is cancelled.
    package func run() async {
        for await _ in wishes.stream {
            guard !waiting.isEmpty else { continue }
            let report = await ask()
            last = (report, .now)
            answer(report)
        }
        isOver = true
        answer(lastWords)
    }

    private var lastWords: ReadinessReport {
        ReadinessReport(process: process, findings: last?.report.findings ?? [], isStopping: true)
    }

    private func answer(_ report: ReadinessReport) {
        let all = waiting
        waiting = []
        for continuation in all { continuation.resume(returning: report) }
    }

    private nonisolated func ask() async -> ReadinessReport {
        let findings = await withTaskGroup(of: (Int, ReadinessReport.Finding).self) { group in
            for (place, check) in checks.enumerated() {
                group.addTask { (place, await self.finding(of: check)) }
            }
            return await group.reduce(into: []) { $0.append($1) }.sorted { $0.0 < $1.0 }.map(\.1)
        }
        Measure.replace(.dependencyUp, findings.map { ([("dependency", $0.name)], $0.failure == nil ? 1 : 0) })
        return ReadinessReport(process: process, findings: findings, isStopping: false)
    }

    private nonisolated func finding(of check: DependencyCheck) async -> ReadinessReport.Finding {
        let began = ContinuousClock.now
        let failure = await withTaskGroup(of: String?.self) { group in
            group.addTask {
                do {
                    try await check.ask()
                    return nil
                } catch {
                    return String("\(error)".prefix(Self.reasonCharacters))
                }
            }
            group.addTask { [askedFor] in
                try? await Task.sleep(for: askedFor)
                return "no answer within \(askedFor)"
            }
            defer { group.cancelAll() }
            return await group.next() ?? nil
        }
        return ReadinessReport.Finding(
            name: check.name, failure: failure, milliseconds: Int((ContinuousClock.now - began) / .milliseconds(1)))
    }
}
