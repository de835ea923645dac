package import AWSProtocol

package import struct FoundationEssentials.Date

/// Credentials of a role, renewed at two thirds of their life under the same session name.
///
/// One renewal at a time; while it runs, or fails, those that have not expired are given out. Errors of STS are thrown only
/// when there are none left.
package actor AssumedRoleCredentials: AWSCredentialsProvider {
    /// Between renewals that fail while the session still holds.
    private static let pauseSeconds = 15.0

    private let assume: @Sendable () async throws -> AssumedRole
    private let now: @Sendable () -> Date
    private var current: (role: AssumedRole, renewAt: Date)?
    private var isRenewing = false
    private var waiters: [CheckedContinuation<Void, Never>] = []

    package init(
        now: @escaping @Sendable () -> Date = { Date() }, assume: @escaping @Sendable () async throws -> AssumedRole
    ) {
        self.now = now
        self.assume = assume
    }

    package init(sts: STSClient, request: AssumeRoleRequest) {
        self.init { try await sts.assumeRole(request) }
    }

    package func credentials() async throws -> AWSCredentials {
        while true {
            if let current {
                let date = now()
                if date < current.renewAt || (isRenewing && date < current.role.expiration) {
                    return current.role.credentials
                }
            }
            guard isRenewing else { return try await renew() }
            await withCheckedContinuation { waiters.append($0) }
        }
    }

    private func renew() async throws -> AWSCredentials {
        isRenewing = true
        defer {
            isRenewing = false
            for waiter in waiters { waiter.resume() }
            waiters = []
        }
        let startedAt = now()
        do {
            let role = try await assume()
            let life = role.expiration.timeIntervalSince(startedAt)
            current = (role, startedAt.addingTimeInterval(life * 2 / 3))
            return role.credentials
        } catch {
            let date = now()
            guard let current, date < current.role.expiration else { throw error }
            // Not at every call: each would wait for STS to fail again.
            self.current = (current.role, min(date.addingTimeInterval(Self.pauseSeconds), current.role.expiration))
            return current.role.credentials
        }
    }
}
