import FaultInjection
import Foundation
import Synchronization

/// Jobs at full speed on many keys, and one withdrawal after the other at random moments.
struct RevocationRun: Sendable {
    let site: RevocationSite
    let keys: Int
    let accounts: Int
    let jobs: Int
    let seconds: Int
    let seed: UInt64
    let mebibytes: Int

    /// In which the speed of the others is measured, before and behind each act.
    private static let window: Duration = .milliseconds(800)
    private static let useWithin: Duration = .seconds(10)
    private static let patience: Duration = .seconds(120)

    func run(_ progress: @escaping @Sendable (String) -> Void) async throws -> RevocationReport {
        let tag = String(UInt32(truncatingIfNeeded: seed), radix: 36) + String(ProcessInfo.processInfo.processIdentifier)
        progress("accounts, keys and data")
        let accounts = try await site.accounts(accounts)
        try putData(accounts)
        var subjects: [RevocationSubject] = []
        for number in 0..<keys {
            subjects.append(
                try await .make(
                    number, accounts[number % accounts.count], datasets: jobs / keys + (number < jobs % keys ? 1 : 0), tag: tag))
        }
        let open = OpenImports(site)
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await open.run() }
            for subject in subjects {
                for (index, dataset) in subject.datasets.enumerated() {
                    group.addTask { await subject.importAgainAndAgain(into: dataset, name: "run_\(index)", open: open) }
                }
            }
            defer { group.cancelAll() }
            return try await withdraw(subjects, tag: tag, progress)
        }
    }

    private func putData(_ accounts: [Tenant]) throws {
        let buckets = try site.values.required("buckets.directory")
        // 34 bytes a row, as a rule.
        let days = 1000
        guard let series = SyntheticSeries("\(max(1, mebibytes << 20 / (34 * days))),\(days)") else {
            throw ChaosFailure(description: "there are no series of that size")
        }
        for account in accounts {
            let folder = "\(buckets)/\(account.bucket)"
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            try series.write(to: "\(folder)/\(RevocationSubject.file)")
        }
    }

    private func withdraw(
        _ subjects: [RevocationSubject], tag: String, _ progress: (String) -> Void
    ) async throws -> RevocationReport {
        var chance = SeededChance(seed)
        progress("waiting for every key's first import")
        for subject in subjects { try await waitForSuccess(of: subject, beyond: 0) }
        try site.trace.refresh()
        guard site.trace.count > 0 else {
            throw ChaosFailure(
                description: "imports succeeded and no worker wrote to the frame trace: the cluster must be started with "
                    + "the same --faults-frame-trace as this command")
        }
        let began = ContinuousClock.now
        var findings: [WithdrawalFinding] = []
        var deck: [WithdrawalKind] = []
        while began.duration(to: .now) < .seconds(seconds) {
            if deck.isEmpty { deck = WithdrawalKind.deck.shuffled(using: &chance) }
            let kind = deck.removeLast()
            let subject = subjects[Int.random(in: 0..<subjects.count, using: &chance)]
            try await Task.sleep(for: .milliseconds(.random(in: 20...400, using: &chance)))
            progress("\(findings.count + 1): \(kind.rawValue)")
            let pick = Int.random(in: 0..<1 << 30, using: &chance)
            if let finding = try await act(kind, subject, subjects, pick, tag: "\(tag)-\(findings.count)") {
                findings.append(finding)
            }
        }
        try site.trace.refresh()
        return RevocationReport(
            findings: findings, seconds: began.duration(to: .now) / .seconds(1), seed: seed,
            jobs: subjects.map(\.succeeded).reduce(0, +), keys: keys, accounts: Set(subjects.map(\.account.id)).count,
            traceLines: site.trace.count, unreadableLines: site.trace.unreadable)
    }

    /// A key of which a worker has just got a data key: an act must meet it in the middle of its use to show anything.
    private func inUse(_ subjects: [RevocationSubject], _ pick: Int) async throws -> RevocationSubject? {
        let began = DispatchTime.now().uptimeNanoseconds
        let deadline = ContinuousClock.now + Self.useWithin
        while ContinuousClock.now < deadline {
            try site.trace.refresh()
            let keys = site.trace.keysInUse(since: began)
            if !keys.isEmpty { return subjects.first { $0.key == keys[pick % keys.count] } }
            try await Task.sleep(for: .milliseconds(2))
        }
        return nil
    }

    private func act(
        _ kind: WithdrawalKind, _ drawn: RevocationSubject, _ subjects: [RevocationSubject], _ pick: Int, tag: String
    ) async throws -> WithdrawalFinding? {
        let start = DispatchTime.now().uptimeNanoseconds
        try await Task.sleep(for: Self.window)
        let calm = start..<DispatchTime.now().uptimeNanoseconds
        let subject = kind.effect == .keyUse ? try await inUse(subjects, pick) ?? drawn : drawn
        let others: @Sendable (String) -> Bool = { key in !key.contains(":\(subject.account.id):") }
        var finding = WithdrawalFinding(kind: kind, account: subject.account.id)
        let behind: Range<UInt64>
        if kind.effect == .caller {
            let withdrawal = CallerWithdrawal(kind: kind, account: subject.account, site: site, tag: tag)
            let began = DispatchTime.now().uptimeNanoseconds
            let outcome = try await withdrawal.run()
            try await Task.sleep(for: Self.window)
            behind = began..<DispatchTime.now().uptimeNanoseconds
            finding.lastUseSeconds = outcome.lastSuccess
            finding.refused = outcome.calls
            if outcome.violations > 0 {
                finding.violations.append("\(outcome.violations) calls that began behind the reply succeeded")
            }
        } else {
            let deed = Deed(kind: kind, subject: subject, site: site)
            guard let moment = try await deed.happen() else { return nil }
            try await Task.sleep(for: Self.window)
            behind = moment.replied..<DispatchTime.now().uptimeNanoseconds
            let succeeded = subject.succeeded
            try await DeedInspection(deed: deed, moment: moment).inspect(&finding)
            try await deed.heal()
            // The next window before an act must have every key at work.
            try await waitForSuccess(of: subject, beyond: succeeded)
        }
        try site.trace.refresh()
        finding.othersBefore = rate(calm, others)
        finding.othersBehind = rate(behind, others)
        return finding
    }

    private func rate(_ span: Range<UInt64>, _ others: (String) -> Bool) -> Double {
        Double(site.trace.sealedBytes(span, where: others)) / (Double(span.upperBound - span.lowerBound) / 1e9)
    }

    private func waitForSuccess(of subject: RevocationSubject, beyond count: Int) async throws {
        let deadline = ContinuousClock.now + Self.patience
        while subject.succeeded <= count {
            guard ContinuousClock.now < deadline else {
                throw ChaosFailure(
                    description: "no import under \(subject.key) succeeded within \(Self.patience): \(subject.lastRefusal)")
            }
            try await Task.sleep(for: .milliseconds(20))
        }
    }
}
