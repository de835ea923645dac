import AWSProtocol
import Accounts
import AuthorityAPI
import PostgresTesting
import Testing

/// Quotas at the edge, with a clock that stands still.
@Suite(.enabled(if: TestDatabase.isAvailable)) struct AdmissionTests {
    private static var still: RequestQuotas { RequestQuotas(percent: 1, clock: { .zero }) }

    @Test func beyondTheQuotaCallsAreThrottledUnderTheNameOfTheProtocol() async throws {
        // One percent of 600 a second: six calls.
        try await AuthorityHouse.with(quotas: Self.still) { house in
            let ann = try await house.user("ann")
            for _ in 0..<6 { #expect(try await house.sts("GetCallerIdentity", as: ann).status == 200) }
            let throttled = try await house.sts("GetCallerIdentity", as: ann)
            #expect(throttled.code == "Throttling" && throttled.status == 400)
            // The account is charged, whoever of it calls; another account is not.
            #expect(try await house.sts("GetCallerIdentity", as: house.admin).code == "Throttling")
            _ = try await house.accounts.createAccount("444455556666", name: "other", by: .commandLine)
            _ = try await house.accounts.createUser("eve", account: "444455556666", by: .commandLine)
            let key = try await house.accounts.createAccessKey(user: "eve", account: "444455556666", by: .commandLine)
            let eve = AWSCredentials(accessKeyID: key.accessKeyID, secretAccessKey: key.secretAccessKey)
            #expect(try await house.sts("GetCallerIdentity", as: eve).status == 200)
        }
    }

    @Test func jsonCallsAreThrottledAfterTheSignatureAndBeforeTheBody() async throws {
        try await AuthorityHouse.with(quotas: Self.still) { house in
            let target = "ForecastleAuthority.Authorize"
            let first = try await house.json(target, [:], as: house.admin, service: "forecast")
            let second = try await house.json(target, [:], as: house.admin, service: "forecast")
            let altered = try await house.json(target, [:], as: house.admin, service: "forecast") { $0.body = [0] }
            #expect(first.code == "AccessDeniedException")
            #expect(second.code == "ThrottlingException" && second.status == 400)
            #expect(altered.code == "InvalidSignatureException")
        }
    }

    @Test func theServicesOwnPrincipalsAreNeverThrottled() async throws {
        try await AuthorityHouse.with(quotas: Self.still) { house in
            for _ in 0..<20 { #expect(try await house.sts("GetCallerIdentity", as: house.worker).status == 200) }
            let role = try await house.role(
                "data", trust: #"{"Effect":"Allow","Principal":{"Service":"forecast.amazonaws.com"},"Action":"sts:AssumeRole"}"#)
            let session = try await house.assume(
                role, as: house.worker,
                headers: [
                    (ServiceHeaders.sourceARN, "arn:aws:forecast:us-west-2:\(AuthorityHouse.customer):dataset/d"),
                    (ServiceHeaders.sourceAccount, AuthorityHouse.customer),
                ])
            for _ in 0..<20 { #expect(try await house.sts("GetCallerIdentity", as: session).status == 200) }
            // Nor has any of this been charged to the customer.
            #expect(try await house.sts("GetCallerIdentity", as: house.admin).status == 200)
        }
    }

    @Test func aThrottledCallIsRecordedOnceASecondAtMost() async throws {
        try await AuthorityHouse.with(quotas: Self.still) { house in
            for _ in 0..<16 { _ = try await house.sts("GetCallerIdentity", as: house.admin) }
            let records = try await house.records("GetCallerIdentity")
            let throttled = records.filter { $0["errorCode"]?.stringValue == "ThrottlingException" }
            #expect(records.count == 7 && throttled.count == 1)
            #expect(throttled.first?["eventSource"]?.stringValue == "sts.amazonaws.com")
            #expect(throttled.first?["userIdentity"]?["userName"]?.stringValue == "admin")
        }
    }
}
