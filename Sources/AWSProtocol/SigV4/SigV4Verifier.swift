package import Secrets

package import struct FoundationEssentials.Date

/// Decides whether a claim is true: the secret's holder signed this text, for this region and service, just now.
///
/// Every claim costs the same work, whatever is wrong with it and whether or not its access key exists: a key that
/// is unknown is verified against a secret of nobody. Only then is the first rule that it broke answered, in this order:
/// key, scope, clock, signature.
package struct SigV4Verifier: Sendable {
    /// How far a caller's clock may be off, either way.
    package static let defaultClockTolerance = Duration.seconds(300)
    /// The region in which clients sign calls of IAM, which has none.
    static let globalRegion = "us-east-1"

    package let region: String
    package let clockTolerance: Duration

    package init(region: String, clockTolerance: Duration = Self.defaultClockTolerance) {
        self.region = region
        self.clockTolerance = clockTolerance
    }

    /// Verifies a claim made for a service. `secret` is nil where the access key is unknown, inactive, or does not go with the
    /// claim's session token; all three give UnrecognizedClientException.
    package func verify(
        _ claim: SignedRequestClaim, service: String, secret: Redacted<String>?, now: Date
    ) throws(AWSError) {
        let bytes = Array((secret?.revealed ?? Self.nobodysSecret.revealed).utf8)
        let failure = bytes.withUnsafeBytes {
            self.failure(of: claim, service: service, secret: $0, isKnown: secret != nil, now: now)
        }
        if let failure { throw failure }
    }

    /// The same with a secret in locked memory. Throws InternalFailure where it was wiped meanwhile.
    package func verify(
        _ claim: SignedRequestClaim, service: String, secret: SharedSecret?, now: Date
    ) throws(AWSError) {
        guard let secret else {
            return try verify(claim, service: service, secret: nil as Redacted<String>?, now: now)
        }
        let failure: AWSError?
        do {
            failure = try secret.withUnsafeBytes {
                self.failure(of: claim, service: service, secret: $0, isKnown: true, now: now)
            }
        } catch {
            throw .internalFailure(cause: error)
        }
        if let failure { throw failure }
    }

    /// As long as AWS's secrets, so that hashing it takes as long.
    private static let nobodysSecret = Redacted(
        Hex.encode((0..<20).map { _ in UInt8.random(in: 0...255) }))

    private func failure(
        of claim: SignedRequestClaim, service: String, secret: UnsafeRawBufferPointer, isKnown: Bool, now: Date
    ) -> AWSError? {
        let expected = SigV4.signature(
            secret: secret, scope: claim.scope,
            stringToSign: SigV4.stringToSign(
                timestamp: claim.timestamp, scope: claim.scope, canonicalRequest: claim.canonicalRequest.text))
        let isGenuine = constantTimeEquals(Array(expected.utf8), Array(claim.signature.utf8))
        let scopeFailure = scopeFailure(of: claim, service: service)
        let clockFailure = clockFailure(of: claim, now: now)
        if !isKnown { return .unrecognizedClient }
        return scopeFailure ?? clockFailure ?? (isGenuine ? nil : .signatureDoesNotMatch)
    }

    private func scopeFailure(of claim: SignedRequestClaim, service: String) -> AWSError? {
        let scope = claim.scope
        guard scope.region == region || (service == "iam" && scope.region == Self.globalRegion) else {
            return .invalidSignature("Credential should be scoped to a valid region.")
        }
        guard scope.service == service else {
            return .invalidSignature("Credential should be scoped to correct service: '\(service)'.")
        }
        let day = String(claim.timestamp.prefix(8))
        guard scope.date == day else {
            return .invalidSignature(
                "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: "
                    + "'\(scope.date)' != '\(day)', from '\(claim.timestamp)'.")
        }
        return nil
    }

    private func clockFailure(of claim: SignedRequestClaim, now: Date) -> AWSError? {
        let tolerance = Double(clockTolerance.components.seconds) + Double(clockTolerance.components.attoseconds) / 1e18
        let earliest = now.addingTimeInterval(-(claim.presignedSeconds.map(Double.init) ?? tolerance))
        if claim.signedAt < earliest {
            let allowance = claim.presignedSeconds.map { "\($0) s" } ?? "\(Int(tolerance) / 60) min."
            return .invalidSignature(
                "Signature expired: \(claim.timestamp) is now earlier than \(AWSTimestamp.basic(earliest)) "
                    + "(\(AWSTimestamp.basic(now)) - \(allowance))")
        }
        let latest = now.addingTimeInterval(tolerance)
        if claim.signedAt > latest {
            return .invalidSignature(
                "Signature not yet current: \(claim.timestamp) is still later than \(AWSTimestamp.basic(latest)) "
                    + "(\(AWSTimestamp.basic(now)) + \(Int(tolerance) / 60) min.)")
        }
        return nil
    }
}
