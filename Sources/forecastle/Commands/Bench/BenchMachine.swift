import AWSProtocol
import Foundation
import Glibc

/// On what was measured, as the record and the page say it. No host name: pages are published.
struct BenchMachine: Sendable {
    let processor: String
    let cores: Int
    let memoryBytes: Int64
    let system: String
    let kernel: String
    /// Average of runnable processes over the last minute, before the first run.
    let loadBefore: Double

    static func current() -> BenchMachine {
        var names = utsname()
        uname(&names)
        let kernel = withUnsafeBytes(of: names.release) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        let pages = sysconf(Int32(_SC_PHYS_PAGES)) * sysconf(Int32(_SC_PAGESIZE))
        return BenchMachine(
            processor: field("model name", in: "/proc/cpuinfo", separator: ":") ?? "unknown processor",
            cores: ProcessInfo.processInfo.activeProcessorCount, memoryBytes: Int64(pages),
            system: field("PRETTY_NAME", in: "/etc/os-release", separator: "=") ?? "Linux", kernel: kernel,
            loadBefore: load())
    }

    static func load() -> Double {
        var averages = [0.0]
        return getloadavg(&averages, 1) == 1 ? averages[0] : .nan
    }

    private static func field(_ name: String, in file: String, separator: Character) -> String? {
        guard let text = try? String(contentsOfFile: file, encoding: .utf8) else { return nil }
        for line in text.split(separator: "\n") {
            let parts = line.split(separator: separator, maxSplits: 1)
            if parts.count == 2, parts[0].trimmingCharacters(in: .whitespaces) == name {
                return parts[1].trimmingCharacters(in: CharacterSet(charactersIn: " \""))
            }
        }
        return nil
    }

    /// `2 cores of AMD EPYC, 23.4 GiB, Debian GNU/Linux 12, Linux 6.1.0; load 0.3 before`
    var line: String {
        "\(Amount.count(cores, "core")) of \(processor), \(Amount.bytes(memoryBytes)), \(system), Linux \(kernel); "
            + "load \(Amount.decimals(loadBefore, 1)) before"
    }

    var json: JSONValue {
        [
            "processor": .string(processor), "cores": .int(Int64(cores)), "memoryBytes": .int(memoryBytes),
            "system": .string(system), "kernel": .string(kernel), "loadBefore": .double(loadBefore),
        ]
    }
}
