import AWSProtocol
package import Accounts
package import AuditTrail
import Telemetry

/// Decides whether a caller who is known may call just now, and keeps account of those who may not.
///
/// The service's own principals and the sessions that it makes of customers' roles are never refused: jobs must not stand
/// still because their customer is busy. What a job costs is bounded by the service's own slots.
package struct Admission: Sendable {
    private let quotas: RequestQuotas
    private let trail: AuditTrail
    private let identity: ServiceIdentity

    package init(quotas: RequestQuotas, trail: AuditTrail, identity: ServiceIdentity) {
        self.quotas = quotas
        self.trail = trail
        self.identity = identity
    }

    /// Throws ThrottlingException, after a record of it where the account's trail has not had one in this second.
    func admit(
        _ operation: String, of service: any AuthorityService, by principal: Principal, _ call: Call
    ) async throws(AWSError) {
        guard !identity.isOwn(principal), principal.record == nil else { return }
        let quota = RequestQuota.of(operation, service: service.signingName)
        let isAdmitted = quotas.admit([
            (principal.account, quota), (principal.session?.roleID ?? principal.userID, .principal),
        ])
        guard !isAdmitted else { return }
        Measure.count(.callsThrottled, [("quota", quota.name)])
        let error = AWSError.throttling("Rate exceeded. Reduce the frequency of your calls.")
        // Else whoever is refused could fill the trail, each record a write to the disk.
        guard quotas.admit([(principal.account, .throttledRecords)]) else { throw error }
        do {
            try await trail.record(record(of: operation, service, principal, call, error))
        } catch {
            throw AWSError(failure: error)
        }
        throw error
    }

    /// What a record needs of the request.
    struct Call {
        let circumstances: RequestCircumstances
        let requestID: String
    }

    private func record(
        of operation: String, _ service: any AuthorityService, _ principal: Principal, _ call: Call, _ error: AWSError
    ) -> CloudTrailRecord {
        let circumstances = call.circumstances
        let source = principal.trailSource(
            sourceIP: circumstances.sourceIP, userAgent: circumstances.userAgent, identity)
        return CloudTrailRecord(
            userIdentity: principal.trailIdentity(identity), eventTime: circumstances.time,
            eventSource: "\(service.signingName).amazonaws.com", eventName: Self.eventName(operation),
            awsRegion: identity.region, sourceIPAddress: source.sourceIPAddress, userAgent: source.userAgent,
            requestID: call.requestID, readOnly: Self.isReadOnly(operation), recipientAccountID: principal.account,
            errorCode: error.code, errorMessage: error.message)
    }

    /// The name is the caller's word; one that no operation could have is not repeated.
    private static func eventName(_ operation: String) -> String {
        let isName =
            (1...64).contains(operation.utf8.count) && operation.utf8.allSatisfy { $0 | 0x20 >= 0x61 && $0 | 0x20 <= 0x7A }
        return isName ? operation : "Unknown"
    }

    private static func isReadOnly(_ operation: String) -> Bool {
        ["Decrypt", "Describe", "Encrypt", "Generate", "Get", "List", "Lookup", "ReEncrypt"].contains(where: operation.hasPrefix)
    }
}
