import FaultInjection
import Foundation
import Logging

/// The fault proxies of a cluster, and the settings that lead its processes through them.
struct ProxyPlan {
    private(set) var proxies: [ChaosRoute: FaultProxy] = [:]
    private(set) var flags: [String: [String]] = [:]
    private(set) var clientEndpoint: String?

    init(routes: Set<ChaosRoute>, cluster: EmbeddedCluster, seed: UInt64, logger: Logger) throws {
        for route in routes.sorted(by: { $0.rawValue < $1.rawValue }) {
            switch route {
            case .workerPostgres: try addPostgres(route, "worker-1", cluster, seed, logger)
            case .apiPostgres: try addPostgres(route, "api", cluster, seed, logger)
            case .workerAuthority:
                let port = try addPort(route, to: cluster.authorityPort, seed, logger)
                flags["worker-1", default: []].append("--authority-endpoint=\(cluster.scheme)://127.0.0.1:\(port)")
            case .clientAPI:
                clientEndpoint = "\(cluster.scheme)://127.0.0.1:\(try addPort(route, to: cluster.apiPort, seed, logger))"
            }
        }
    }

    /// Socket to socket: PostgreSQL trusts whoever reaches its folder, so nothing of it may listen on a port.
    private mutating func addPostgres(
        _ route: ChaosRoute, _ process: String, _ cluster: EmbeddedCluster, _ seed: UInt64, _ logger: Logger
    ) throws {
        let folder = "\(cluster.folder.path)/\(route.rawValue)"
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        proxies[route] = FaultProxy(
            to: .init(socket: cluster.folder.sockets + "/.s.PGSQL.5432"), socket: folder + "/.s.PGSQL.5432", seed: seed,
            logger: logger, onBound: { _ in })
        let role = route == .apiPostgres ? "api" : "worker"
        let connection = cluster.postgres.connection(.jobs, as: role).replacing(cluster.folder.sockets, with: folder)
        flags[process, default: []].append("--jobs-postgres=\(connection)")
    }

    private mutating func addPort(_ route: ChaosRoute, to port: Int, _ seed: UInt64, _ logger: Logger) throws -> Int {
        let own = try LoopbackPort.free(preferring: nil, besides: port)
        proxies[route] = FaultProxy(
            to: .init(host: "127.0.0.1", port: port), port: own, seed: seed, logger: logger, onBound: { _ in })
        return own
    }
}
