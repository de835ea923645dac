import AWSClients
import AWSProtocol
import Foundation
import Synchronization

/// A caller who uses the API without a pause, and whose access key or session is withdrawn meanwhile.
struct CallerWithdrawal: Sendable {
    let kind: WithdrawalKind
    let account: Tenant
    let site: RevocationSite
    let tag: String

    struct Outcome: Sendable {
        let calls: Int
        /// Calls that began behind the reply and succeeded.
        let violations: Int
        /// From the reply until the last answer that was a success.
        let lastSuccess: Double
    }

    private final class Uses: Sendable {
        struct State {
            var calls: [(began: UInt64, ended: UInt64, isGood: Bool)] = []
            var isOver = false
        }

        private let state = Mutex(State())

        func withLock<R>(_ body: (inout State) -> R) -> R { state.withLock { body(&$0) } }
    }

    /// Calls before the act, and refusals behind it, that must be seen.
    private static let callsSeen = 5
    private static let patience: Duration = .seconds(30)

    func run() async throws -> Outcome {
        let (caller, withdraw) = try await prepare()
        let uses = Uses()
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                while !uses.withLock({ $0.isOver }) {
                    let began = DispatchTime.now().uptimeNanoseconds
                    let isGood = (try? await caller.call(.forecast, "ListDatasets", ["MaxResults": 1])) != nil
                    let ended = DispatchTime.now().uptimeNanoseconds
                    uses.withLock { $0.calls.append((began, ended, isGood)) }
                }
            }
            defer { uses.withLock { $0.isOver = true } }
            try await until { uses.withLock { $0.calls.count { $0.isGood } } >= Self.callsSeen }
            try await withdraw()
            let replied = DispatchTime.now().uptimeNanoseconds
            try await until {
                uses.withLock { $0.calls.suffix(Self.callsSeen).allSatisfy { !$0.isGood && $0.began > replied } }
            }
            uses.withLock { $0.isOver = true }
            try await group.waitForAll()
            let calls = uses.withLock { $0.calls }
            let late = calls.filter { $0.isGood && $0.ended > replied }
            return Outcome(
                calls: calls.count, violations: late.count { $0.began > replied },
                lastSuccess: late.map { Double($0.ended - replied) / 1e9 }.max() ?? 0)
        }
    }

    private func until(_ holds: () -> Bool) async throws {
        let deadline = ContinuousClock.now + Self.patience
        while !holds() {
            guard ContinuousClock.now < deadline else {
                throw ChaosFailure(description: "\(kind.rawValue): the caller's calls were not answered as expected")
            }
            try await Task.sleep(for: .milliseconds(5))
        }
    }

    /// A caller of its own, and how it loses its right.
    private func prepare() async throws -> (EnvironmentClient, @Sendable () async throws -> Void) {
        let client = account.client
        let name = "revoked-\(tag)"
        _ = try await client.query("iam", "CreateUser", ["UserName": name])
        _ = try await client.query(
            "iam", "PutUserPolicy", ["UserName": name, "PolicyName": "list", "PolicyDocument": Self.mayList])
        let made = try await client.query("iam", "CreateAccessKey", ["UserName": name])
        let key = made["CreateAccessKeyResult"]?["AccessKey"]
        guard let id = key?["AccessKeyId"]?.text, let secret = key?["SecretAccessKey"]?.text else {
            throw ChaosFailure(description: "CreateAccessKey gave no key")
        }
        let caller = try site.client(id, secret, attempts: 1)
        let withdraw: @Sendable () async throws -> Void = {
            _ = try await client.query("iam", "DeleteAccessKey", ["UserName": name, "AccessKeyId": id])
        }
        guard kind == .endSession else { return (caller, withdraw) }
        // A user's session ends with the key that it was made with.
        let answer = try await caller.query("sts", "GetSessionToken", ["DurationSeconds": "900"])
        let session = answer["GetSessionTokenResult"]?["Credentials"]
        guard let id = session?["AccessKeyId"]?.text, let secret = session?["SecretAccessKey"]?.text,
            let token = session?["SessionToken"]?.text
        else { throw ChaosFailure(description: "GetSessionToken gave no session") }
        return (try site.client(id, secret, token: token, attempts: 1), withdraw)
    }

    private static let mayList =
        #"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"forecast:ListDatasets","Resource":"*"}]}"#
}
