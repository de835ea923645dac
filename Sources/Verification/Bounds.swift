import Foundation
import Postgres

/// I7: memory and queues stay within their bounds.
package struct Bounds: Invariant {
    package let name = "I7"
    package let title = "memory and queues within bounds"

    package init() {}

    package func check(_ cluster: VerifiedCluster) async throws -> Finding {
        var finding = Finding()
        var peaks: [String: Int] = [:]
        var seen = 0
        for process in cluster.processes {
            guard let peak = ProcessMemory.peakBytes(of: process.pid) else { continue }
            seen += 1
            peaks[process.role] = max(peaks[process.role] ?? 0, peak)
            let bound = cluster.memoryBounds.bytes(of: process.role)
            if peak > bound {
                finding.violation(
                    "\(process.role) \(process.pid) used \(peak >> 20) MiB at its peak; its bound is \(bound >> 20) MiB")
            }
        }
        finding.count("processes", seen)
        if !peaks.isEmpty {
            finding.note(
                "peak " + peaks.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value >> 20) MiB" }.joined(separator: ", "))
        }
        let rows: Int = try await cluster.jobs.query("SELECT count(*) AS rows FROM outbox").first?.get("rows") ?? 0
        finding.count("outbox rows", rows)
        if rows > cluster.outboxRowsMax {
            finding.violation("the outbox holds \(rows) rows; its bound is \(cluster.outboxRowsMax)")
        }
        return finding
    }
}

/// What the kernel says of a process's memory.
package enum ProcessMemory {
    /// The most that was resident at once; nil where there is no such process.
    package static func peakBytes(of pid: Int32) -> Int? { bytes("VmHWM:", of: pid) }

    /// What is resident now.
    package static func residentBytes(of pid: Int32) -> Int? { bytes("VmRSS:", of: pid) }

    private static func bytes(_ name: String, of pid: Int32) -> Int? {
        guard let handle = FileHandle(forReadingAtPath: "/proc/\(pid)/status"), let data = try? handle.readToEnd() else {
            return nil
        }
        let line = String(decoding: data, as: UTF8.self).split(separator: "\n").first { $0.hasPrefix(name) }
        return line?.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Int($0) }.map { $0 << 10 }
    }
}
