package import AWSProtocol
import AuditTrail
import Freshness
import Postgres
import Secrets

package import struct FoundationEssentials.Date

/// Says who signed a request, or that nobody known did.
///
/// One path for every failure: whatever is wrong with a claim, it is verified against what is known in memory (nobody, where nothing
/// is), then there is one look-up, one secret opened (that of nobody where the key is unknown) and one signature more
/// computed, and only then is the answer chosen. A credential in memory can let a caller in, and never keeps one out.
package struct RequestAuthenticator: Sendable {
    private let store: AccountsStore
    private let verifier: SigV4Verifier
    private let nobody: [UInt8]

    private static let nobodysLabel = "access-key/nobody"

    package static func make(store: AccountsStore, verifier: SigV4Verifier) async throws -> RequestAuthenticator {
        let nobody = try await store.seal(Identifiers.secret(), label: nobodysLabel)
        return RequestAuthenticator(store: store, verifier: verifier, nobody: nobody)
    }

    /// - Parameter service: the signing name that the claim's scope must have.
    package func authenticate(
        _ claim: SignedRequestClaim, service: String, now: Date
    ) async throws(AWSError) -> Principal {
        if let principal = known(claim, service: service, now: now) { return principal }
        let found: StoredCredential?
        let secret: SharedSecret
        do {
            found = try await store.credential(claim.accessKeyID)
            secret = try await store.sealer.open(
                found?.sealedSecret ?? nobody, label: found?.label ?? Self.nobodysLabel)
        } catch {
            throw AWSError(failure: error)
        }
        var isKept = false
        defer { if !isKept { secret.wipe() } }
        let isUsable = found?.accepts(token: claim.sessionToken) ?? false
        try verifier.verify(claim, service: service, secret: isUsable ? secret : nil, now: now)
        guard let found, isUsable else { throw .unrecognizedClient }
        // Said only to who holds the secret.
        guard !found.isExpired else { throw .expiredToken }
        do {
            try await store.keep(found, secret: secret)
            isKept = true
        } catch {
            throw AWSError(failure: error)
        }
        return found.principal
    }

    /// Who signed, where that is somebody known in memory and everything fits. The record of the request proves that it still holds.
    private func known(_ claim: SignedRequestClaim, service: String, now: Date) -> Principal? {
        let finding = store.known.find(claim.accessKeyID)
        let isUsable = finding?.value.stored.accepts(token: claim.sessionToken) ?? false
        do {
            try verifier.verify(claim, service: service, secret: isUsable ? finding?.value.secret : nil, now: now)
        } catch {
            return nil
        }
        return isUsable ? finding?.rely().stored.principal : nil
    }
}

extension AWSError {
    /// A fault of the authority itself: a database or trail that does not answer may be tried again, anything else is internal.
    package init(failure error: any Error) {
        switch error {
        case let error as AWSError:
            self = error
        case let error as PostgresError where error.isRetriable || error.mayHaveTakenEffect:
            self = .serviceUnavailable(cause: error)
        case let error as AuditError where error.isRetriable:
            self = .serviceUnavailable(cause: error)
        case let error as AccountsError where error.code == .sessionEnded:
            self = .unrecognizedClient
        default:
            self = .internalFailure(cause: error)
        }
    }
}
