import Foundation
import Verification

/// The role processes on this machine, as /proc lists them.
enum ClusterProcesses {
    private static let roles: Set<String> = ["authority", "api", "worker"]

    /// Those that were started with this configuration file.
    static func running(configuration: String) -> [ObservedProcess] {
        all.compactMap { pid in
            let words = commandLine(of: pid)
            guard words.count > 3, words[0].hasSuffix("forecastle"), roles.contains(words[1]),
                let index = words.firstIndex(of: "--config"), words.count > index + 1, words[index + 1] == configuration
            else { return nil }
            return ObservedProcess(role: words[1], pid: pid)
        }
    }

    /// Processes whose parent this is.
    static func children(of parent: pid_t) -> [pid_t] {
        all.filter { pid in
            // Behind the name, which may hold blanks and brackets: state, parent.
            let fields = text("/proc/\(pid)/stat").split(separator: ")").last?.split(separator: " ") ?? []
            return fields.count > 1 && pid_t(fields[1]) == parent
        }
    }

    static func commandLine(of pid: pid_t) -> [String] {
        text("/proc/\(pid)/cmdline").split(separator: "\0").map(String.init)
    }

    /// `R`, `S`, `T`…, as the kernel writes it; nil where there is no such process.
    static func state(of pid: pid_t) -> Character? {
        text("/proc/\(pid)/stat").split(separator: ")").last?.first { $0 != " " }
    }

    private static var all: [pid_t] {
        ((try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []).compactMap { pid_t($0) }.sorted()
    }

    /// Files of /proc have no length and may be gone by now.
    private static func text(_ file: String) -> String {
        guard let handle = FileHandle(forReadingAtPath: file), let data = try? handle.readToEnd() else { return "" }
        return String(decoding: data, as: UTF8.self)
    }
}
