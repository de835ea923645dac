import AWSClients
import AWSProtocol
import Artifacts
import EnvelopeKMS
import Foundation
import Logging
import Secrets
import Synchronization

/// A worker's key lease on a data key, and the moment at which it was lost and its secrets were wiped.
final class LeaseWatch: Sendable {
    private let lease: KeyLease
    private let lostAt = Mutex<UInt64?>(nil)

    /// Asks for a data key under the lease, which holds it from then on.
    init(
        keeper: KeyLeaseKeeper, key: String, credentials: AWSCredentials, port: Int, transport: any AWSTransport
    ) async throws {
        let kms = KMSClient(
            configuration: .init(
                endpoint: "http://127.0.0.1:\(port)", region: AuthorityBenchCluster.region,
                credentials: StaticCredentials(credentials)),
            transport: transport)
        lease = keeper.lease(
            resource: "bench", keyARN: key, probe: KMSKeyLeaseProbe(kms: kms, grantTokens: []))
        let provider = LeasedDataKeyProvider(KMSDataKeyProvider(kms: kms, keyARN: key), keyARN: key, lease: lease)
        _ = try await provider.generate(context: LeaseWatch.context)
        _ = lease.onLoss { [weak self] _ in
            self?.lostAt.withLock { $0 = DispatchTime.now().uptimeNanoseconds }
        }
    }

    static let context = ["forecastle:account": EmbeddedCluster.customer]

    /// Seconds from `reply` to the loss; throws where it does not come within the lease's bound.
    func loss(after reply: UInt64) async throws -> Double {
        let deadline = ContinuousClock.now + .seconds(30)
        while true {
            if let lost = lostAt.withLock({ $0 }) { return lost > reply ? Double(lost - reply) / 1e9 : 0 }
            guard ContinuousClock.now < deadline else {
                throw CommandFailure("A key lease was not lost within 30 s.", MessageExit.inputOutput)
            }
            try await Task.sleep(for: .milliseconds(1))
        }
    }

    func release() { lease.release() }
}
