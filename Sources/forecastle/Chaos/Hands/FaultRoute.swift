/// The connections of an embedded cluster that fault proxies stand in.
enum FaultRoute: String, Sendable, CaseIterable {
    case workerPostgres = "worker-postgres"
    case apiPostgres = "api-postgres"
    case authorityPostgres = "authority-postgres"
    case workerAuthority = "worker-authority"
    case apiAuthority = "api-authority"
    case clientAPI = "client-api"
}
