import CLinux
import Foundation
import Glibc

/// Roles that `up` starts end with it, however it ends.
enum ParentWatch {
    static let variable = "FORECASTLE_PARENT"

    /// First thing in a role: asks for a signal at the parent's death and leaves if it died already.
    static func bind() {
        guard let text = ProcessInfo.processInfo.environment[variable], let parent = pid_t(text) else { return }
        if clinux_die_with_parent(SIGTERM, parent) == 1 { exit(EXIT_FAILURE) }
    }
}
