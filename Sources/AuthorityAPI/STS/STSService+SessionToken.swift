import AWSProtocol
import Accounts
import AuditTrail
import Postgres
import Secrets

import struct FoundationEssentials.Date

extension STSService {
    private static let sessionTokenSeconds = 900...129_600
    private static let defaultSessionTokenSeconds = 43_200

    /// Makes a session of the user who calls, with a second factor where a code is shown.
    ///
    /// Needs no permission, as at AWS: the session may do what the user may. It ends with the access key that signed, so that
    /// deactivating a stolen key stops what was made with it.
    func getSessionToken(_ request: AuthenticatedRequest) async throws(AWSError) -> AWSReply {
        var record = record("GetSessionToken", request)
        do {
            try request.parameters.refuseAllBut(["DurationSeconds", "SerialNumber", "TokenCode"])
            let seconds = try request.parameters.optionalInt("DurationSeconds", range: Self.sessionTokenSeconds)
            let factor = try SecondFactor(request.parameters)
            record.requestParameters = Self.trail(seconds, factor)
            let principal = request.principal
            guard principal.userName != nil, principal.userSession == nil else {
                throw AWSError.accessDenied("Cannot call GetSessionToken with session credentials")
            }
            let mfaAt = try await shown(factor, by: request)
            let prepared = try await accounts.prepareSession()
            let wanted = UserSessionRequest(
                userID: principal.userID, accessKeyID: principal.accessKeyID,
                seconds: seconds ?? Self.defaultSessionTokenSeconds, mfaAt: mfaAt)
            let draft = record
            let session = try await pool.retryingSerialization { connection in
                let session = try await self.accounts.insert(prepared, for: wanted, on: connection)
                var record = draft
                record.responseElements = ["credentials": session.trail]
                try await self.trail.append(record, on: connection)
                return session
            }
            return .xml { session.write(to: &$0) }
        } catch {
            throw await recorded(AWSError(failure: error), in: record)
        }
    }

    /// When the caller showed the second factor, which is now; nil where none is given.
    func shown(_ factor: SecondFactor?, by request: AuthenticatedRequest) async throws -> Date? {
        guard let factor else { return nil }
        let isRight =
            request.principal.userName != nil
            ? try await accounts.takeCode(
                factor.code, of: factor.serial, userID: request.principal.userID, at: request.eventTime)
            : false
        guard isRight else {
            throw AWSError.accessDenied("MultiFactorAuthentication failed with invalid MFA one time pass code.")
        }
        return request.eventTime
    }

    private static func trail(_ seconds: Int?, _ factor: SecondFactor?) -> JSONObject? {
        var parameters = JSONObject()
        parameters.append("durationSeconds", ifPresent: seconds.map { .int(Int64($0)) })
        parameters.append("serialNumber", ifPresent: factor.map { .string($0.serial.description) })
        return parameters.isEmpty ? nil : parameters
    }
}

extension SessionCredentials {
    func write(to result: inout XMLWriter) {
        result.element("Credentials") {
            $0.element("AccessKeyId", accessKeyID)
            $0.element("SecretAccessKey", secretAccessKey.revealed)
            $0.element("SessionToken", sessionToken.revealed)
            $0.element("Expiration", AWSTimestamp.extended(expiresAt))
        }
    }

    /// Neither secret nor token: whoever reads the trail must not be able to use the session.
    var trail: JSONValue {
        ["accessKeyId": .string(accessKeyID), "expiration": .string(TrailDate.text(expiresAt))]
    }
}
