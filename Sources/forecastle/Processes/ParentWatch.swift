import CLinux
import Foundation
import Glibc

/// Roles that `up` starts end with it, however it ends.
enum ParentWatch {
    static let variable = "FORECASTLE_PARENT"
    /// Between two looks at who our parent is.
    private static let interval: TimeInterval = 1
    /// What an orderly end may take once the parent is gone: whatever it waits for ended with the parent, as a rule.
    private static let endWithin: TimeInterval = 45

    /// First thing in a role: asks for a signal at the parent's death and leaves if it died already.
    ///
    /// That signal comes once, and where it comes while handlers are set up it is lost. So a thread looks after it.
    static func bind() {
        guard let text = ProcessInfo.processInfo.environment[variable], let parent = pid_t(text) else { return }
        if clinux_die_with_parent(SIGTERM, parent) == 1 { exit(EXIT_FAILURE) }
        let thread = Thread {
            while getppid() == parent { Thread.sleep(forTimeInterval: interval) }
            kill(getpid(), SIGTERM)
            Thread.sleep(forTimeInterval: endWithin)
            FileHandle.standardError.write(Data("the parent is gone and an orderly end takes too long\n".utf8))
            _exit(EXIT_FAILURE)
        }
        thread.name = "parent"
        thread.start()
    }
}
