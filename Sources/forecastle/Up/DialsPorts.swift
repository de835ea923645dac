/// The dials' ports of an embedded cluster's processes: the same ones again after a restart, where they are free.
struct DialsPorts: Sendable {
    private(set) var ports: [(process: String, port: Int)] = []

    /// - Parameter known: lines `process port` of an earlier start.
    init(_ processes: [String], known: String, besides others: [Int]) throws {
        let known = known.split(separator: "\n").map { $0.split(separator: " ") }
        for process in processes {
            let preferred = known.first { $0.count == 2 && $0[0] == process }.flatMap { Int($0[1]) }
            var port = try LoopbackPort.free(preferring: preferred)
            // What is free is told before anybody holds it, so that the same port may come twice.
            while others.contains(port) || ports.contains(where: { $0.port == port }) {
                port = try LoopbackPort.free(preferring: nil)
            }
            ports.append((process, port))
        }
    }

    var text: String { ports.map { "\($0.process) \($0.port)\n" }.joined() }

    /// Nil for a process that was not planned: it takes a free one.
    func port(of process: String) -> Int? { ports.first { $0.process == process }?.port }

    /// `api=http://127.0.0.1:…,authority=…,worker-1=…`
    var variable: String { ports.map { "\($0.process)=http://127.0.0.1:\($0.port)" }.joined(separator: ",") }
}
