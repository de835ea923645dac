import CLinux
import Glibc

/// What every process of Forecastle does first thing in `main`.
package enum ProcessHardening {
    /// No core files, no ptrace and no reading of memory by processes of the same user.
    package static func apply() throws(SecretError) {
        guard clinux_forbid_core_files() == 0 else { throw .hardening("setrlimit(RLIMIT_CORE)", errno: errno) }
        guard clinux_set_dumpable(0) == 0 else { throw .hardening("prctl(PR_SET_DUMPABLE)", errno: errno) }
    }

    package static var isDumpable: Bool { clinux_is_dumpable() != 0 }
}
