import FoundationEssentials
import Glibc

/// What the kernel says of this process, under the names that every client of Prometheus has for it.
package enum ProcessReadings {
    package static func read() {
        var time = timespec()
        if clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time) == 0 {
            Measure.replace(.processCPU, [([], Double(time.tv_sec) + Double(time.tv_nsec) / 1e9)])
        }
        // Resident pages are the second number.
        if let pages = text("/proc/self/statm").split(separator: " ").dropFirst().first.flatMap({ Double($0) }) {
            Measure.replace(.processResidentBytes, [([], pages * Double(sysconf(Int32(_SC_PAGESIZE))))])
        }
        if let files = try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd") {
            Measure.replace(.processOpenFiles, [([], Double(files.count))])
        }
        var limit = rlimit()
        if getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 {
            Measure.replace(.processMaxFiles, [([], Double(limit.rlim_cur))])
        }
        if let start { Measure.replace(.processStart, [([], start)]) }
    }

    /// Ticks since the machine began, of which the kernel tells the time.
    private static let start: Double? = {
        // Behind the name, which may hold blanks and brackets, the twentieth field.
        let fields = text("/proc/self/stat").split(separator: ")").last?.split(separator: " ") ?? []
        let boot = text("/proc/stat").split(separator: "\n").first { $0.hasPrefix("btime ") }?.dropFirst(6)
        guard fields.count > 19, let ticks = Double(fields[19]), let boot = boot.flatMap({ Double($0) }) else { return nil }
        return boot + ticks / Double(sysconf(Int32(_SC_CLK_TCK)))
    }()

    /// Files of /proc have no length.
    private static func text(_ file: String) -> String {
        let descriptor = open(file, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return "" }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 16 << 10)
        while true {
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            guard count > 0, bytes.count < 1 << 20 else { return String(decoding: bytes, as: UTF8.self) }
            bytes += buffer[0..<count]
        }
    }
}
