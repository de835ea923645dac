import FaultInjection
import Foundation
import Logging

/// A fault proxy in front of everything that processes of an embedded cluster connect to, and the settings that lead them there.
struct FaultPlumbing: Sendable {
    struct Place: Sendable {
        let name: String
        let proxy: FaultProxy
        /// Port of 127.0.0.1 or path of the socket that it listens on.
        let listens: String
    }

    private(set) var places: [Place] = []
    private(set) var wiring = ClusterWiring()

    /// - Parameter others: more proxies, `NAME=HOST:PORT`, for what the cluster is configured to reach through them.
    init(cluster: EmbeddedCluster, others: [String], seed: UInt64, logger: Logger) throws {
        let folder = cluster.folder
        try FileManager.default.createDirectory(
            atPath: folder.faults, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        wiring.flags["broker"] = ["--takes-orders"]
        for number in 1...max(1, cluster.workers) {
            wiring.flags["worker-\(number)"] = ["--faults-control-file=\(folder.faultPoints("worker-\(number)"))"]
        }
        for route in FaultRoute.allCases {
            switch route {
            case .workerPostgres: try addPostgres(route, "worker", "--jobs-postgres", .jobs, cluster, seed, logger)
            case .apiPostgres: try addPostgres(route, "api", "--jobs-postgres", .jobs, cluster, seed, logger)
            case .authorityPostgres:
                try addPostgres(route, "authority", "--authority-postgres", .authority, cluster, seed, logger)
            case .workerAuthority, .apiAuthority:
                let port = try addPort(route.rawValue, "127.0.0.1", cluster.authorityPort, seed, logger)
                let process = route == .apiAuthority ? "api" : "worker"
                wiring.flags[process, default: []].append("--authority-endpoint=\(cluster.scheme)://127.0.0.1:\(port)")
            case .clientAPI:
                let port = try addPort(route.rawValue, "127.0.0.1", cluster.apiPort, seed, logger)
                wiring.clientEndpoint = "\(cluster.scheme)://127.0.0.1:\(port)"
            }
        }
        for text in others {
            let sides = text.split(separator: "=", maxSplits: 1).map(String.init)
            let address = sides.last?.split(separator: ":").map(String.init) ?? []
            guard sides.count == 2, address.count == 2, let port = Int(address[1]), (1...65_535).contains(port),
                !places.contains(where: { $0.name == sides[0] })
            else { throw ChildProcess.Failure(description: "--fault-proxy takes NAME=HOST:PORT with a name of its own: \(text)") }
            _ = try addPort(sides[0], address[0], port, seed, logger)
        }
    }

    /// Socket to socket: PostgreSQL trusts whoever reaches its folder, so nothing of it may listen on a port.
    private mutating func addPostgres(
        _ route: FaultRoute, _ process: String, _ flag: String, _ database: EmbeddedPostgres.Database,
        _ cluster: EmbeddedCluster, _ seed: UInt64, _ logger: Logger
    ) throws {
        let folder = "\(cluster.folder.faults)/\(route.rawValue)"
        let socket = folder + "/.s.PGSQL.5432"
        guard socket.utf8.count < 108 else {
            throw ChildProcess.Failure(
                description: "\(cluster.folder.path) is too long for a Unix socket; choose a shorter --data")
        }
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        let proxy = FaultProxy(
            to: .init(socket: cluster.folder.sockets + "/.s.PGSQL.5432"), socket: socket, seed: seed, logger: logger,
            onBound: { _ in })
        places.append(Place(name: route.rawValue, proxy: proxy, listens: socket))
        let connection = cluster.postgres.connection(database).replacing(cluster.folder.sockets, with: folder)
        wiring.flags[process, default: []].append("\(flag)=\(connection)")
    }

    private mutating func addPort(
        _ name: String, _ host: String, _ port: Int, _ seed: UInt64, _ logger: Logger
    ) throws -> Int {
        let own = try LoopbackPort.free(preferring: nil, besides: port)
        let proxy = FaultProxy(
            to: .init(host: host, port: port), port: own, seed: seed, logger: logger, onBound: { _ in })
        places.append(Place(name: name, proxy: proxy, listens: "\(own)"))
        return own
    }

    /// Serves until it is cancelled.
    func run() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for place in places { group.addTask { try await place.proxy.run() } }
            try await group.waitForAll()
        }
    }
}
