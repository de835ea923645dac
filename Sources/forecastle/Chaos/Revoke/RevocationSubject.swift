import AWSProtocol
import Foundation
import Postgres
import Synchronization

/// One key of one customer with its role and datasets, and the imports that run on it.
final class RevocationSubject: Sendable {
    struct Attempt: Sendable {
        let beganAt: UInt64
        let accepted: Bool
    }

    private struct State {
        var attempts: [Attempt] = []
        var resources: [String] = []
        var succeeded = 0
        /// What the API or the job said last where an import came to nothing.
        var refusal = ""
    }

    let number: Int
    let account: Tenant
    let access: DemoCustomer.Access
    let roleName: String
    let datasets: [String]
    private let state = Mutex(State())

    static let file = "history.csv"

    /// Role, key and datasets, made by the customer's administrator.
    static func make(
        _ number: Int, _ account: Tenant, datasets count: Int, tag: String
    ) async throws -> RevocationSubject {
        let role = "revoke-\(tag)-\(number)"
        let access = try await account.access(role)
        var datasets: [String] = []
        for index in 0..<count { datasets.append(try await account.dataset("revoke_\(tag)_\(number)_\(index)", access)) }
        return RevocationSubject(number, account, access, roleName: role, datasets: datasets)
    }

    private init(
        _ number: Int, _ account: Tenant, _ access: DemoCustomer.Access, roleName: String, datasets: [String]
    ) {
        self.number = number
        self.account = account
        self.access = access
        self.roleName = roleName
        self.datasets = datasets
    }

    var key: String { access.key }
    var client: EnvironmentClient { account.client }
    var keyPolicy: JSONValue { account.customer.keyPolicy(access.role) }
    var trustPolicy: JSONValue { account.customer.trustPolicy }

    func makeRole() async throws { try await account.makeRole(roleName) }

    // MARK: What happened on it

    var resources: [String] { state.withLock { $0.resources } }
    var succeeded: Int { state.withLock { $0.succeeded } }
    var attempts: [Attempt] { state.withLock { $0.attempts } }
    func noteSuccess() { state.withLock { $0.succeeded += 1 } }
    var lastRefusal: String { state.withLock { $0.refusal } }

    /// Imports one after the other into one of the datasets, until it is cancelled. What the API or the job says is noted.
    func importAgainAndAgain(into dataset: String, name: String, open: OpenImports) async {
        var count = 0
        while !Task.isCancelled {
            count += 1
            let began = DispatchTime.now().uptimeNanoseconds
            var arn: String?
            do {
                arn = try await account.importJob("\(name)_\(count)", dataset: dataset, file: Self.file, access)
            } catch {
                state.withLock { $0.refusal = "\(error)" }
            }
            state.withLock { [arn] state in
                state.attempts.append(Attempt(beganAt: began, accepted: arn != nil))
                if let arn { state.resources.append(arn) }
            }
            if let arn {
                let end = await open.end(of: arn)
                if end.state == "succeeded" { noteSuccess() } else { state.withLock { $0.refusal = end.message } }
                // As a customer who needs it no more: the store must not fill.
                _ = try? await client.call(.forecast, "DeleteDatasetImportJob", ["DatasetImportJobArn": .string(arn)])
            } else {
                try? await Task.sleep(for: .milliseconds(50))
            }
        }
    }
}

/// Imports that are waited for; one question to the database for all of them.
final class OpenImports: Sendable {
    /// How a job ended, and what it says of it; empty where nobody looks any more.
    struct End: Sendable {
        var state = ""
        var message = ""
    }

    private let waiting = Mutex<[String: CheckedContinuation<End, Never>]>([:])
    private let site: RevocationSite

    init(_ site: RevocationSite) { self.site = site }

    func end(of arn: String) async -> End {
        await withCheckedContinuation { continuation in waiting.withLock { $0[arn] = continuation } }
    }

    func run() async {
        while !Task.isCancelled {
            try? await Task.sleep(for: .milliseconds(25))
            let arns = waiting.withLock { Array($0.keys) }
            guard !arns.isEmpty,
                let rows = try? await site.jobs.query(
                    """
                    SELECT resource, state, coalesce(message, '') AS message FROM job
                    WHERE resource = ANY(\(arns)) AND finished_at IS NOT NULL
                    """)
            else { continue }
            for row in rows {
                guard let arn = try? row.get("resource", as: String.self), let state = try? row.get("state", as: String.self),
                    let message = try? row.get("message", as: String.self)
                else { continue }
                waiting.withLock { $0.removeValue(forKey: arn) }?.resume(returning: End(state: state, message: message))
            }
        }
        for continuation in waiting.withLock({ waiting in
            defer { waiting = [:] }
            return Array(waiting.values)
        }) { continuation.resume(returning: End()) }
    }
}
