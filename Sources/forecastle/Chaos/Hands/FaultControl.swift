import AWSProtocol
import FaultInjection
import Foundation
import Glibc
import Kafka
import Synchronization

/// Carries out what people ask of the faults of a running cluster, and knows what is injected.
final class FaultControl: Sendable {
    private let folder: DataFolder
    private let workers: Int
    private let places: [FaultPlumbing.Place]
    private let supervisor: Supervisor
    private let injected = Mutex<[(name: String, fields: JSONObject)]>([])

    init(folder: DataFolder, workers: Int, plumbing: FaultPlumbing, supervisor: Supervisor) {
        self.folder = folder
        self.workers = workers
        places = plumbing.places
        self.supervisor = supervisor
    }

    private var workerNames: [String] { (1...max(1, workers)).map { "worker-\($0)" } }
    private var processNames: [String] { ["postgres", "broker", "authority", "api"] + workerNames }

    /// One request, one answer; what is wrong with a request is in the answer.
    func answer(_ request: JSONObject) -> JSONObject {
        do {
            switch request["do"]?.stringValue {
            case "inject":
                guard let fields = request["fault"]?.objectValue else {
                    throw FaultRequest.Failure(field: "fault", rule: "must be an object")
                }
                try inject(try FaultRequest(fields))
            case "heal": try heal(request["name"]?.stringValue)
            case "status": return status
            default: throw FaultRequest.Failure(field: "do", rule: "must be one of inject, heal, status")
            }
            return ["done": true]
        } catch {
            return ["error": .string("\(error)")]
        }
    }

    private func inject(_ request: FaultRequest) throws {
        let name: String
        switch request.fault {
        case .proxy(let place, let toxics, let directions):
            let proxy = try proxy(place)
            for direction in directions { proxy.set(toxics, direction) }
            name = place
        case .down(let place):
            try proxy(place).takeDown()
            name = place
        case .process(let process, let action):
            try signal(process, action == .kill ? SIGKILL : action == .stop ? SIGSTOP : SIGTERM)
            // Whoever is ended is started again by the cluster: nothing is left to be healed.
            guard action == .stop else { return }
            name = process
        case .points(let worker, let text):
            guard workerNames.contains(worker) else { throw unknown("worker", worker, workerNames) }
            try folder.write(text + "\n", to: folder.faultPoints(worker))
            name = worker
        case .broker(let order):
            try send(order)
            name = "broker"
        }
        injected.withLock { injected in
            injected.removeAll { $0.name == name }
            injected.append((name, request.fields))
        }
    }

    /// Everything, or what has that name.
    private func heal(_ name: String?) throws {
        if let name {
            let names = places.map(\.name) + processNames
            guard names.contains(name) else { throw unknown("name", name, names) }
        }
        for place in places where name == nil || name == place.name { place.proxy.heal() }
        for process in processNames where name == nil || name == process {
            // It may be between two lives.
            try? signal(process, SIGCONT)
        }
        for worker in workerNames where name == nil || name == worker { unlink(folder.faultPoints(worker)) }
        if name == "broker" || injected.withLock({ $0.contains { $0.name == "broker" } }) && name == nil {
            try send("up")
            try send("rtt 0")
        }
        injected.withLock { injected in injected.removeAll { name == nil || $0.name == name } }
    }

    private var status: JSONObject {
        // Points are over once the worker has taken their file away.
        let faults = injected.withLock { injected in
            injected.removeAll { $0.fields["worker"] != nil && access(folder.faultPoints($0.name), F_OK) != 0 }
            return injected
        }
        return [
            "proxies": .array(
                places.map { place in
                    [
                        "name": .string(place.name), "listens": .string(place.listens),
                        "connections": .int(Int64(place.proxy.openConnections)),
                    ]
                }),
            "processes": .array(
                processNames.map { name in
                    let pid = supervisor.child(name)?.pid
                    return [
                        "name": .string(name), "pid": pid.map { .int(Int64($0)) } ?? .null,
                        "state": .string(pid.map { ClusterProcesses.state(of: $0) == "T" ? "stopped" : "running" } ?? "away"),
                    ]
                }),
            "points": .array(
                workerNames.compactMap { name in
                    (try? String(contentsOfFile: folder.faultPoints(name), encoding: .utf8)).map {
                        ["worker": .string(name), "points": .string($0.trimmingCharacters(in: .whitespacesAndNewlines))]
                    }
                }),
            "injected": .array(faults.map { ["name": .string($0.name), "fault": .object($0.fields)] }),
        ]
    }

    private func proxy(_ name: String) throws -> FaultProxy {
        guard let place = places.first(where: { $0.name == name }) else { throw unknown("proxy", name, places.map(\.name)) }
        return place.proxy
    }

    /// Of PostgreSQL all its processes.
    private func signal(_ name: String, _ signal: Int32) throws {
        guard processNames.contains(name) else { throw unknown("process", name, processNames) }
        guard let child = supervisor.child(name) else {
            throw FaultRequest.Failure(field: "process", rule: "\(name) does not run at the moment")
        }
        if name == "postgres", signal != SIGTERM {
            for pid in ClusterProcesses.children(of: child.pid) { kill(pid, signal) }
        }
        child.signal(signal)
    }

    private func send(_ order: String) throws {
        let pipe = open(folder.path + "/broker.orders", O_WRONLY | O_NONBLOCK | O_CLOEXEC)
        guard pipe >= 0 else { throw FaultRequest.Failure(field: "broker", rule: "takes no orders at the moment") }
        defer { close(pipe) }
        let line = Array((order + "\n").utf8)
        guard write(pipe, line, line.count) == line.count else {
            throw FaultRequest.Failure(field: "broker", rule: "takes no orders at the moment")
        }
    }

    private func unknown(_ field: String, _ name: String, _ known: [String]) -> FaultRequest.Failure {
        FaultRequest.Failure(field: field, rule: "names no \(name); there are \(known.joined(separator: ", "))")
    }
}
