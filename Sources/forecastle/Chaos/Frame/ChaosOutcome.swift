import AWSProtocol
import Verification

/// What came of one run of one case.
struct ChaosOutcome: Sendable {
    enum Verdict: String, Sendable {
        case passed, failed, skipped
    }

    var number: Int
    var title: String
    var seed: UInt64
    var verdict: Verdict
    /// Of a failure or of a case that was skipped.
    var reason: String?
    var injected: [String] = []
    var seen: [String] = []
    var seconds: Double = 0
    var verification: Verification?
    /// Kept where the case failed.
    var folder: String?
    /// The last records of the trail, where the case failed.
    var trail: [String] = []

    var json: JSONValue {
        [
            "case": .int(Int64(number)), "title": .string(title), "seed": .string(String(seed)),
            "verdict": .string(verdict.rawValue),
            "reason": .optional(reason), "injected": .strings(injected), "seen": .strings(seen), "seconds": .double(seconds),
            "verification": verification?.json ?? .null, "folder": .optional(folder),
            "revision": .string(Revision.current), "trail": .strings(trail),
        ]
    }

    /// What people read while it goes on.
    var lines: [String] {
        var lines = ["case \(number)  \(verdict.rawValue.uppercased())  \(Int(seconds)) s  seed \(seed)  \(title)"]
        lines += injected.map { "    injected  \($0)" }
        lines += seen.map { "    seen      \($0)" }
        if let reason { lines.append("    \(verdict == .skipped ? "skipped " : "failed  ")  \(reason)") }
        for violation in verification?.violations ?? [] { lines.append("    violated  \(violation)") }
        if let folder {
            lines.append("    kept      \(folder)")
            lines.append("    trail     \(folder)/audit-tail.jsonl (the last 100 records)")
            lines.append("    revision  \(Revision.current)")
            lines.append("    again     forecastle chaos --case \(number) --seed \(seed)")
        }
        return lines
    }
}

/// The form that build servers read.
enum JUnitReport {
    static func text(_ outcomes: [ChaosOutcome]) -> String {
        let failed = outcomes.count { $0.verdict == .failed }
        let skipped = outcomes.count { $0.verdict == .skipped }
        let seconds = outcomes.reduce(0) { $0 + $1.seconds }
        var lines = [
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>",
            "<testsuite name=\"chaos \(escaped(Revision.current))\" tests=\"\(outcomes.count)\" failures=\"\(failed)\" skipped=\"\(skipped)\" time=\"\(seconds)\">",
        ]
        for outcome in outcomes {
            lines.append(
                "  <testcase classname=\"chaos\" name=\"\(escaped("\(outcome.number) \(outcome.title) (seed \(outcome.seed))"))\" "
                    + "time=\"\(outcome.seconds)\">")
            let reason = escaped(outcome.reason ?? "")
            switch outcome.verdict {
            case .passed: break
            case .failed:
                lines.append("    <failure message=\"\(reason)\">\(escaped(outcome.lines.joined(separator: "\n")))</failure>")
                lines.append("    <system-out>\(escaped(outcome.trail.joined(separator: "\n")))</system-out>")
            case .skipped: lines.append("    <skipped message=\"\(reason)\"/>")
            }
            lines.append("  </testcase>")
        }
        return (lines + ["</testsuite>", ""]).joined(separator: "\n")
    }

    static func escaped(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case "\n", "\t": result.unicodeScalars.append(scalar)
            // XML has no way to write the other control characters.
            case _ where scalar.value < 0x20: result += "?"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
