import AWSProtocol
import Accounts

/// Whose credentials are taken from whom: over TLS, what belongs to the service's own processes only from those processes, which
/// show it by their certificates.
///
/// A stolen access key of `forecastle-api`, or a session that the service made, is worth nothing without the private key of the
/// process. Without TLS only this machine can call, and the signature alone counts.
enum ProcessCertificates {
    /// Throws AccessDenied for a principal of the service that comes without its certificate.
    static func check(_ principal: Principal, on request: AWSRequest, identity: ServiceIdentity) throws(AWSError) {
        guard request.isSecureTransport else { return }
        let wanted = processes(of: principal, identity)
        guard !wanted.isEmpty, !wanted.contains(where: { $0 == request.peer }) else { return }
        let shown = request.peer.map { "that of \($0) was shown" } ?? "none was shown"
        throw .accessDenied(
            "User: \(principal.arn) is a principal of the service and is known by the certificate of "
                + "\(wanted.map(\.uri).joined(separator: " or ")); \(shown)")
    }

    /// The processes that may act as the principal; empty for everybody who is not the service.
    private static func processes(of principal: Principal, _ identity: ServiceIdentity) -> [ProcessIdentity] {
        // What the service did on behalf of a customer goes on under the customer's role.
        if principal.record != nil { return [.api, .worker] }
        guard identity.isOwn(principal) else { return [] }
        switch principal.userName {
        case ServiceIdentity.apiUser: return [.api]
        case ServiceIdentity.workerUser: return [.worker]
        default: break
        }
        guard case .assumedRole(let session) = principal.kind else { return [.api, .worker] }
        switch session.roleARN.baseName {
        case ServiceIdentity.apiRole: return [.api]
        case ServiceIdentity.workerRole: return [.worker]
        // The sweeper's: both retire grants.
        default: return [.api, .worker]
        }
    }
}
