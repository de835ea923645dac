import Foundation
import Glibc

/// What a case needs of the machine that not every machine has.
enum ChaosNeed: Sendable, Hashable {
    case root
    case program(String)
    /// cgroup v1 with the memory controller, writable.
    case memoryCgroup
    case timeNamespaces

    var title: String {
        switch self {
        case .root: "root"
        case .program(let name): name
        case .memoryCgroup: "cgroup v1"
        case .timeNamespaces: "time namespaces"
        }
    }

    /// Why it is not there; nil where it is.
    var missing: String? {
        switch self {
        case .root: geteuid() == 0 ? nil : "it needs root"
        case .program(let name): Self.path(of: name) == nil ? "\(name) is not installed" : nil
        case .memoryCgroup:
            access("/sys/fs/cgroup/memory/cgroup.procs", W_OK) == 0 ? nil : "there is no memory cgroup (v1) to write to"
        case .timeNamespaces: access("/proc/self/ns/time", F_OK) == 0 ? nil : "the kernel has no time namespaces"
        }
    }

    static func path(of program: String) -> String? {
        let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
        let folders: [String] = path.split(separator: ":").map(String.init) + ["/usr/sbin", "/sbin"]
        return folders.map { "\($0)/\(program)" }.first { access($0, X_OK) == 0 }
    }
}
