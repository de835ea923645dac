import Foundation
import Secrets

/// What this host and the roles that run on it do for secrets in memory, as `doctor` prints it.
enum SecretsReport {
    static func lines() -> [(name: String, finding: String)] {
        let limit = SecretMemory.lockLimitBytes.map { "\($0) bytes (RLIMIT_MEMLOCK)" } ?? "unlimited"
        let isLockable = SecretMemory.canLock(SecretMemory.requiredBytes)
        return [
            ("lockable memory", limit),
            ("locking", isLockable ? "works" : "fails: secrets are wiped, but may reach swap before"),
            ("swap", hasSwap ? "on: locked secrets stay out of it, others may not" : "off"),
            ("core files", core(limit: ProcessHardening.coreLimitBytes.map { "\($0)" } ?? "unlimited")),
            ("dumpable", ProcessHardening.isDumpable ? "yes: processes of this user can read the memory" : "no"),
        ] + roles()
    }

    static func problems(_ values: ConfigurationValues) -> [String] {
        guard values.flag("secrets.require_locked"), !SecretMemory.canLock(SecretMemory.requiredBytes) else { return [] }
        return ["secrets.require_locked: \(SecretMemory.requiredBytes) bytes cannot be locked here; raise RLIMIT_MEMLOCK"]
    }

    private static func core(limit: String) -> String { limit == "0" ? "forbidden" : "allowed, up to \(limit) bytes" }

    private static var hasSwap: Bool { text("/proc/swaps").split(separator: "\n").count > 1 }

    /// Roles that run on this host, whoever runs them: what each has locked, and whether it may leave a core file.
    private static func roles() -> [(name: String, finding: String)] {
        let names: Set<String> = ["authority", "api", "worker"]
        let processes = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return processes.compactMap { Int($0) }.sorted().compactMap { process in
            let words = text("/proc/\(process)/cmdline").split(separator: "\0", maxSplits: 2)
            guard words.count > 1, words[0].hasSuffix("forecastle"), names.contains(String(words[1])) else { return nil }
            let locked = line("VmLck:", of: "/proc/\(process)/status").flatMap { Int($0[0]) } ?? 0
            let limits = line("Max locked memory", of: "/proc/\(process)/limits")?[0] ?? "unknown"
            let core = core(limit: line("Max core file size", of: "/proc/\(process)/limits")?[0] ?? "unknown")
            return ("\(words[1]) \(process)", "\(locked << 10) bytes locked of \(limits); core files \(core)")
        }
    }

    /// The words behind a line's name.
    private static func line(_ name: String, of file: String) -> [String]? {
        guard let line = text(file).split(separator: "\n").first(where: { $0.hasPrefix(name) }) else { return nil }
        let words = line.dropFirst(name.count).split(whereSeparator: \.isWhitespace).map(String.init)
        return words.isEmpty ? nil : words
    }

    /// Files of /proc have no length and may be gone by now.
    private static func text(_ file: String) -> String {
        guard let handle = FileHandle(forReadingAtPath: file), let data = try? handle.readToEnd() else { return "" }
        return String(decoding: data, as: UTF8.self)
    }
}
