import AWSProtocol
import Foundation

/// All withdrawals of a run, held against the bounds.
struct RevocationReport: Sendable {
    let findings: [WithdrawalFinding]
    let seconds: Double
    let seed: UInt64
    /// Imports that succeeded.
    let jobs: Int
    let keys: Int
    let accounts: Int
    let traceLines: Int
    let unreadableLines: Int

    /// Milliseconds, 99th percentile, where the authority announces.
    static let boundMilliseconds = 250.0
    /// By how much others may be slower.
    static let othersShare = 0.95

    // MARK: Figures

    /// Milliseconds from reply to last frame of what takes effect at the next key use.
    var lastUses: [Double] { findings.filter { $0.kind.effect == .keyUse }.map { $0.lastUseSeconds * 1000 }.sorted() }

    static func percentile(_ sorted: [Double], _ share: Double) -> Double? {
        let rank = Int((Double(sorted.count) * share).rounded(.up))
        return sorted.isEmpty ? nil : sorted[min(sorted.count, max(1, rank)) - 1]
    }

    /// Others' speed behind acts against before them, over all acts, with the interval in which it lies by 95 %.
    var others: (ratio: Double, low: Double, high: Double)? {
        let pairs = findings.filter { $0.othersBefore > 0 }
        guard pairs.count > 1 else { return nil }
        let before = pairs.map(\.othersBefore).reduce(0, +)
        let ratio = pairs.map(\.othersBehind).reduce(0, +) / before
        // Of a ratio of sums, by the spread of its residuals.
        let mean = before / Double(pairs.count)
        let squares = pairs.map { pow(($0.othersBehind - ratio * $0.othersBefore) / mean, 2) }.reduce(0, +)
        let error = (squares / Double(pairs.count - 1) / Double(pairs.count)).squareRoot()
        return (ratio, ratio - 1.96 * error, ratio + 1.96 * error)
    }

    /// What is broken; empty: all bounds were kept.
    var broken: [String] {
        var broken = findings.flatMap { finding in finding.violations.map { "\(finding.kind.rawValue): \($0)" } }
        if let p99 = Self.percentile(lastUses, 0.99), p99 > Self.boundMilliseconds {
            broken.append(
                "last frame \(Amount.decimals(p99, 1)) ms behind the reply (p99); bound \(Int(Self.boundMilliseconds)) ms")
        }
        if let others, others.high < Self.othersShare {
            broken.append("other customers were slower: \(Amount.decimals(others.ratio, 3)) of their speed")
        }
        if unreadableLines > 0 { broken.append("\(unreadableLines) lines of the frame trace cannot be read") }
        if findings.isEmpty { broken.append("nothing was withdrawn, so nothing was shown") }
        if findings.contains(where: { $0.kind.effect == .keyUse }), findings.allSatisfy({ $0.leases == 0 }) {
            broken.append("no act met a data key in use, so nothing was shown")
        }
        return broken
    }

    // MARK: Forms

    var json: JSONValue {
        [
            "seed": .string(String(seed)), "seconds": .double(seconds), "jobs": .int(Int64(jobs)), "keys": .int(Int64(keys)),
            "accounts": .int(Int64(accounts)), "traceLines": .int(Int64(traceLines)),
            "boundMilliseconds": .double(Self.boundMilliseconds),
            "p50Milliseconds": Self.percentile(lastUses, 0.5).map { .double($0) } ?? .null,
            "p99Milliseconds": Self.percentile(lastUses, 0.99).map { .double($0) } ?? .null,
            "maxMilliseconds": lastUses.last.map { .double($0) } ?? .null,
            "others": others.map {
                ["ratio": .double($0.ratio), "low": .double($0.low), "high": .double($0.high)] as JSONValue
            } ?? .null,
            "acts": .array(findings.map(\.json)), "broken": .strings(broken), "holds": .bool(broken.isEmpty),
        ]
    }

    var lines: [String] {
        var table = TextTable(
            .text("withdrawn"), .number("acts"), .number("met a key in use"), .number("last use ms, p50"), .number("p99"),
            .number("max"), .number("leases"),
            .number("lost"), .number("wiped"), .number("jobs failed"), .number("refused"))
        for kind in WithdrawalKind.allCases {
            let found = findings.filter { $0.kind == kind }
            let sorted = found.map { $0.lastUseSeconds * 1000 }.sorted()
            func figure(_ share: Double) -> String { Self.percentile(sorted, share).map { Amount.decimals($0, 1) } ?? "–" }
            func sum(_ figure: (WithdrawalFinding) -> Int) -> String { "\(found.map(figure).reduce(0, +))" }
            table.add(
                kind.rawValue, "\(found.count)", "\(found.count { $0.leases > 0 })", figure(0.5), figure(0.99), figure(1),
                sum(\.leases), sum(\.lost), sum(\.wiped),
                sum(\.failed), sum(\.refused))
        }
        var lines = [
            "\(findings.count) withdrawals in \(Amount.time(seconds)), seed \(seed): \(jobs) imports succeeded on "
                + "\(Amount.count(keys, "key")) of \(Amount.count(accounts, "account"))", "",
        ]
        lines += table.lines + [""]
        lines += ["From the reply to the last frame, acts that take effect at the next key use:"]
        lines += histogram.lines + [""]
        if let others {
            lines.append(
                "other customers' speed behind acts: \(Amount.decimals(others.ratio, 3)) of before "
                    + "(95 %: \(Amount.decimals(others.low, 3))–\(Amount.decimals(others.high, 3)))")
        } else {
            lines.append("other customers' speed: not seen, there is one account only or too few acts")
        }
        lines.append("published behind a reply, confirmed before it: \(findings.map(\.confirmedBefore).reduce(0, +))")
        lines += broken.map { "BROKEN  \($0)" }
        lines.append(broken.isEmpty ? "every bound was kept" : "\(Amount.count(broken.count, "bound")) broken")
        return lines
    }

    var histogram: LatencyHistogram {
        LatencyHistogram(
            title: "From the authority's reply to the last frame under the key",
            series: WithdrawalKind.allCases.filter { $0.effect == .keyUse }.map { kind in
                (kind.rawValue, findings.filter { $0.kind == kind }.map { $0.lastUseSeconds * 1000 })
            }, boundMilliseconds: Self.boundMilliseconds)
    }
}
