import CLinux
import Glibc

/// What every process of Forecastle does first thing in `main`.
package enum ProcessHardening {
    /// No core files, no ptrace, no reading of memory by processes of the same user, and no crash reports with memory in
    /// them (the language's runtime prints what registers point to).
    package static func apply() throws(SecretError) {
        guard clinux_forbid_core_files() == 0 else { throw .hardening("setrlimit(RLIMIT_CORE)", errno: errno) }
        guard clinux_set_dumpable(0) == 0 else { throw .hardening("prctl(PR_SET_DUMPABLE)", errno: errno) }
        clinux_forbid_crash_reports()
    }

    package static var isDumpable: Bool { clinux_is_dumpable() != 0 }

    /// Soft limit of core files; `nil` where unlimited.
    package static var coreLimitBytes: UInt64? {
        let limit = clinux_core_limit_bytes()
        return limit == .max ? nil : limit
    }
}
