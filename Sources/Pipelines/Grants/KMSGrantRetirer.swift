import AWSClients
import AWSProtocol
import Artifacts
package import Jobs

/// Retires grants at KMS: with the role's session first, as in the documented event; on a denial, or where role, trust or
/// session is gone, at once by the retiring principal. Also lists what the retiring principal could retire.
package struct KMSGrantRetirer: GrantRetirer, GrantLister {
    private static let pageSize = 100

    private let roles: RoleSessions
    private let process: String

    /// - Parameter process: names this process in the sweeper's sessions.
    package init(roles: RoleSessions, process: String) {
        self.roles = roles
        self.process = process
    }

    package func retire(_ grant: GrantToRetire) async -> RetireOutcome {
        if let role = grant.roleARN, let job = grant.job, job.names(role: role, key: grant.keyARN) {
            let outcome = await retire(grant, asRole: true) { try await roles.kms(role: role, .init(job: job)) }
            guard case .denied = outcome else { return outcome }
        }
        return await retire(grant) { sweeper(at: roles.place(keyARN: grant.keyARN)) }
    }

    /// The authority's pages first, then those of the other server of keys. A marker says of which it is.
    package func retirableGrants(after marker: String?) async throws -> (grants: [ListedGrant], next: String?) {
        let (place, position) = Self.read(marker)
        let page = try await sweeper(at: place).listRetirableGrants(
            retiringPrincipal: roles.principals(at: place).retiringPrincipal, limit: Self.pageSize, marker: position)
        let grants = page.grants.compactMap { grant in
            grant.name.map { ListedGrant(name: $0, grantID: grant.grantID, keyARN: grant.keyID) }
        }
        if let next = page.nextMarker { return (grants, "\(place.rawValue) \(next)") }
        return (grants, place == .authority && roles.hasKeysElsewhere ? "\(KeyPlace.elsewhere.rawValue) " : nil)
    }

    private static func read(_ marker: String?) -> (KeyPlace, position: String?) {
        guard let marker, let space = marker.firstIndex(of: " "), let place = KeyPlace(rawValue: String(marker[..<space]))
        else { return (.authority, nil) }
        let position = marker[marker.index(after: space)...]
        return (place, position.isEmpty ? nil : String(position))
    }

    private func sweeper(at place: KeyPlace) -> KMSClient { roles.kms(.sweeper, session: process, at: place) }

    private func retire(
        _ grant: GrantToRetire, asRole: Bool = false, with kms: () async throws -> KMSClient
    ) async -> RetireOutcome {
        do {
            // At AWS a young grant is not known to every server: by its id it would seem gone, and be left.
            if let token = grant.token, roles.place(keyARN: grant.keyARN) == .elsewhere {
                try await kms().retireGrant(token: token)
            } else {
                try await kms().retireGrant(keyID: grant.keyARN, grantID: grant.grantID)
            }
            return .retired
        } catch let error as AWSError where error.code == "NotFoundException" || error.code == "InvalidGrantIdException" {
            return .notFound
        } catch let error as AWSError where KeyRefusal(error) != nil {
            return .denied(error.message)
        } catch let error as AWSError where asRole && RoleSessions.isGone(error) {
            return .denied(error.message)
        } catch {
            return .unreachable("\(error)")
        }
    }
}

extension JobSpecification {
    /// Whether the signed document reaches this key through this role. Rows of grants can be edited; a role that stands only
    /// there is not assumed.
    func names(role: String, key: String) -> Bool {
        guard let document = try? JSONValue.parse(self.document, limits: .response) else { return false }
        return document.holdsObject { $0["roleARN"]?.stringValue == role && $0["keyARN"]?.stringValue == key }
    }
}

extension JSONValue {
    fileprivate func holdsObject(where matches: (JSONObject) -> Bool) -> Bool {
        switch self {
        case .object(let object): matches(object) || object.contains { $0.value.holdsObject(where: matches) }
        case .array(let elements): elements.contains { $0.holdsObject(where: matches) }
        default: false
        }
    }
}
