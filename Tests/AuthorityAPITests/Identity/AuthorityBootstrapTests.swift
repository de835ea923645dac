import AWSProtocol
import Accounts
import AuthorityAPI
import Postgres
import PostgresTesting
import Testing

@Suite(.enabled(if: TestDatabase.isAvailable)) struct AuthorityBootstrapTests {
    @Test func aSecondRunChangesNothingAndShowsNoSecret() async throws {
        try await AuthorityHouse.with { house in
            #expect(Set(house.users.keys) == ["admin", "forecastle-api", "forecastle-worker", "forecastle-operator"])
            let count = { try await house.pool.query("SELECT count(*) AS n FROM audit_records").first!.get("n", as: Int.self) }
            let before = try await count()
            let again = try await house.bootstrap.run(customer: AuthorityHouse.customer)
            #expect(again.credentials.isEmpty)
            #expect(again.defaultKey.account == house.identity.account)
            #expect(try await count() == before)
        }
    }

    @Test func credentialsThatWereLostAreReplaced() async throws {
        try await AuthorityHouse.with { house in
            let again = try await house.bootstrap.run(customer: AuthorityHouse.customer, replacingKeysOf: ["forecastle-worker"])
            #expect(again.credentials.map(\.user) == ["forecastle-worker"])
            #expect(try await house.sts("GetCallerIdentity", as: house.worker).code == "InvalidClientTokenId")
            let fresh = AWSCredentials(
                accessKeyID: again.credentials[0].key.accessKeyID, secretAccessKey: again.credentials[0].key.secretAccessKey)
            #expect(try await house.sts("GetCallerIdentity", as: fresh).status == 200)
        }
    }

    @Test func aPolicyThatSomebodyChangedStays() async throws {
        try await AuthorityHouse.with { house in
            let mine = #"{"Statement":{"Effect":"Allow","Action":"forecast:*","Resource":"*"}}"#
            try await house.accounts.putPolicy(
                "forecastle", document: mine, of: .user("admin"), account: AuthorityHouse.customer, by: .commandLine)
            _ = try await house.bootstrap.run(customer: AuthorityHouse.customer)
            let policies = try await house.accounts.policies(of: .user("admin"), account: AuthorityHouse.customer)
            #expect(policies.map(\.document) == [mine])
        }
    }
}
