import Foundation
import Glibc

/// The folder in which an embedded cluster keeps everything.
struct DataFolder: Sendable {
    let path: String

    init(_ path: String) {
        self.path = path.hasPrefix("/") ? path : FileManager.default.currentDirectoryPath + "/" + path
    }

    var logs: String { path + "/logs" }
    var sockets: String { path + "/run" }
    var postgres: String { path + "/postgres" }
    var credentials: String { path + "/credentials" }
    var vault: String { path + "/vault" }
    var auditHeads: String { path + "/audit-heads" }
    var certificates: String { path + "/tls" }
    var rootKey: String { path + "/root.key" }
    var artifacts: String { path + "/artifacts" }
    var buckets: String { path + "/buckets" }
    var configuration: String { path + "/forecastle.yaml" }
    var environment: String { path + "/env" }
    var ready: String { path + "/ready" }
    var processID: String { path + "/pid" }
    var dials: String { path + "/dials" }
    /// Of one process, as Prometheus's file_sd_configs reads it.
    func dials(_ process: String) -> String { "\(dials)/\(process).json" }
    var dialsPorts: String { path + "/dials.ports" }
    var ports: String { path + "/ports" }
    var brokerAddress: String { path + "/broker.address" }
    var postgresConnection: String { path + "/postgres.conninfo" }

    func credentials(of name: String) -> String { "\(credentials)/\(name).json" }

    var faults: String { path + "/faults" }
    /// Of a worker, while faults are injected by hand.
    func faultPoints(_ worker: String) -> String { "\(faults)/\(worker).points" }

    func log(_ name: String) -> String { "\(logs)/\(name).log" }

    func create() throws {
        for folder in [path, logs, sockets, credentials, vault, auditHeads, artifacts, buckets, dials] {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        }
        for folder in [credentials, vault, artifacts, logs] { chmod(folder, 0o700) }
        // PostgreSQL's own user has to reach its folder below this one.
        chmod(path, 0o711)
    }

    /// One cluster a folder: the lock is held until the process ends, however it ends.
    func lock() throws -> Int32 {
        let descriptor = open(path + "/lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0, flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            throw ChildProcess.Failure(description: "another cluster runs in \(path); deploy/down --data \(path) stops it")
        }
        return descriptor
    }

    /// Writes a file that appears whole or not at all.
    func write(_ text: String, to file: String, mode: mode_t = 0o600) throws {
        try write(Data(text.utf8), to: file, mode: mode)
    }

    func write(_ data: Data, to file: String, mode: mode_t = 0o600) throws {
        let temporary = "\(file).\(getpid())"
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode)
        guard descriptor >= 0 else {
            throw ChildProcess.Failure(description: "can't write \(file): \(String(cString: strerror(errno)))")
        }
        let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        try handle.write(contentsOf: data)
        try handle.close()
        guard rename(temporary, file) == 0 else {
            throw ChildProcess.Failure(description: "can't write \(file): \(String(cString: strerror(errno)))")
        }
    }
}
