import AWSProtocol
import Accounts
import FoundationEssentials
import Policies
import Postgres
import PostgresTesting
import Secrets
import Testing

@Suite(.enabled(if: TestDatabase.isAvailable)) struct AccountsStoreTests {
    @Test func namesAreUniqueWithoutRegardToCase() async throws {
        try await House.with { house in
            await #expect(throws: AccountsError.self) {
                try await house.store.createUser("ADMIN", account: customer, by: actor)
            }
            let again = await #expect(throws: AccountsError.self) {
                try await house.store.createAccount(customer, name: "again", by: actor)
            }
            #expect(again?.code == .entityAlreadyExists)
            let users = try await house.store.users(account: customer)
            #expect(users.map(\.name) == ["admin"])
        }
    }

    @Test(arguments: [
        ("", "/"), ("a b", "/"), ("a/b", "/"), (String(repeating: "a", count: 65), "/"), ("a", "x"), ("a", "/x"), ("a", "//"),
        ("é", "/"),
    ])
    func namesAndPathsFollowTheirRules(name: String, path: String) async throws {
        try await House.with { house in
            let error = await #expect(throws: AccountsError.self) {
                try await house.store.createUser(name, path: path, account: customer, by: actor)
            }
            #expect(error?.code == .invalidInput)
        }
    }

    @Test func nothingIsMadeInAnAccountThatDoesNotExist() async throws {
        try await House.with { house in
            let error = await #expect(throws: AccountsError.self) {
                try await house.store.createUser("a", account: "000000000001", by: actor)
            }
            #expect(error?.code == .noSuchEntity)
        }
    }

    @Test func aUserHasTwoAccessKeysAtMost() async throws {
        try await House.with { house in
            let first = try await house.store.createAccessKey(user: "admin", account: customer, by: actor)
            _ = try await house.store.createAccessKey(user: "admin", account: customer, by: actor)
            let error = await #expect(throws: AccountsError.self) {
                try await house.store.createAccessKey(user: "admin", account: customer, by: actor)
            }
            #expect(error?.code == .limitExceeded)
            let conflict = await #expect(throws: AccountsError.self) {
                try await house.store.deleteUser("admin", account: customer, by: actor)
            }
            #expect(conflict?.code == .deleteConflict)
            try await house.store.deleteAccessKey(first.accessKeyID, account: customer, by: actor)
            #expect(try await house.store.accessKeys(account: customer, user: "admin").count == 1)
            let absent = await #expect(throws: AccountsError.self) {
                try await house.store.deleteAccessKey(first.accessKeyID, account: customer, by: actor)
            }
            #expect(absent?.code == .noSuchEntity)
        }
    }

    @Test func secretsLieInTheDatabaseOnlySealed() async throws {
        try await House.with { house in
            let key = try await house.store.createAccessKey(user: "admin", account: customer, by: actor)
            let session = try await house.session(of: try await house.role())
            let sealed = try await house.pool.query(
                "SELECT sealed_secret AS s FROM access_keys UNION ALL SELECT sealed_secret FROM sessions")
            #expect(sealed.count == 2)
            let secrets = [key.secretAccessKey.revealed, session.secretAccessKey.revealed, session.sessionToken.revealed]
            for row in sealed {
                let text = String(decoding: try row.get("s", as: [UInt8].self), as: UTF8.self)
                for secret in secrets { #expect(!text.contains(secret)) }
            }
            for row in try await house.pool.query("SELECT record FROM audit_records") {
                let text: String = try row.get("record")
                for secret in secrets { #expect(!text.contains(secret)) }
            }
        }
    }

    @Test func everyChangeLeavesARecordInItsTransaction() async throws {
        try await House.with { house in
            _ = try await house.role()
            try await house.store.putPolicy("p", document: allowAll, of: .role("r"), account: customer, by: actor)
            try await house.store.putTrustPolicy(trustEverybody, role: "r", account: customer, by: actor)
            try await house.store.deletePolicy("p", of: .role("r"), account: customer, by: actor)
            try await house.store.deleteRole("r", account: customer, by: actor)
            // Refused changes leave none.
            _ = try? await house.store.deleteRole("r", account: customer, by: actor)
            _ = try? await house.store.createUser("admin", account: customer, by: actor)
            let names = try await house.pool.query("SELECT event_name FROM audit_records ORDER BY position").map {
                try $0.get("event_name", as: String.self)
            }
            #expect(
                names == [
                    "CreateAccount", "CreateUser", "CreateRole", "PutRolePolicy", "UpdateAssumeRolePolicy", "DeleteRolePolicy",
                    "DeleteRole",
                ])
        }
    }

    @Test func malformedPoliciesAreRefused() async throws {
        try await House.with { house in
            let trust = await #expect(throws: AccountsError.self) {
                try await house.store.createRole("r", account: customer, trustPolicy: allowAll, by: actor)
            }
            #expect(trust?.code == .malformedPolicy)
            let identity = await #expect(throws: AccountsError.self) {
                try await house.store.putPolicy("p", document: trustEverybody, of: .user("admin"), account: customer, by: actor)
            }
            #expect(identity?.code == .malformedPolicy)
        }
    }

    @Test func aUsersPolicyIsShorterThanARoles() async throws {
        try await House.with { house in
            _ = try await house.role()
            let document = { (characters: Int) in
                let frame = #"{"Statement":{"Sid":"","Effect":"Allow","Action":"*","Resource":"*"}}"#
                let sid = String(repeating: "x", count: characters - frame.utf8.count)
                return frame.replacing(#""Sid":"""#, with: #""Sid":"\#(sid)""#)
            }
            let most = AccountsStore.maximumUserPolicyCharacters
            for characters in [most - 1, most] {
                try await house.store.putPolicy(
                    "p", document: document(characters), of: .user("admin"), account: customer, by: actor)
            }
            await #expect(throws: AccountsError.self) {
                try await house.store.putPolicy(
                    "p", document: document(most + 1), of: .user("admin"), account: customer, by: actor)
            }
            try await house.store.putPolicy("p", document: document(most + 1), of: .role("r"), account: customer, by: actor)
            #expect(try await house.store.policies(of: .role("r"), account: customer).map(\.name) == ["p"])
        }
    }

    @Test func policiesOfAPrincipalAreReadAsTheyAreNow() async throws {
        try await House.with { house in
            let key = try await house.store.createAccessKey(user: "admin", account: customer, by: actor)
            let admin = try await house.authenticate(key.accessKeyID, key.secretAccessKey.revealed)
            let policies = { (principal: Principal) in
                try await house.pool.withConnection { try await house.store.policies(of: principal, on: $0) }
            }
            #expect(try await policies(admin).identity.isEmpty)
            try await house.store.putPolicy("p", document: allowAll, of: .user("admin"), account: customer, by: actor)
            #expect(try await policies(admin).identity.map(\.name) == ["p"])

            let narrowing = #"{"Statement":{"Effect":"Allow","Action":"kms:*","Resource":"*"}}"#
            let credentials = try await house.session(of: try await house.role(), policy: narrowing)
            let session = try await house.authenticate(
                credentials.accessKeyID, credentials.secretAccessKey.revealed, token: credentials.sessionToken.revealed)
            let read = try await policies(session)
            #expect(read.session.map(\.name) == ["inline"] && read.identity.isEmpty)
            try await house.store.deleteRole("r", account: customer, by: actor)
            await #expect(throws: AccountsError.self) { try await policies(session) }
        }
    }

    @Test func principalsAreLookedUpByExactName() async throws {
        try await House.with { house in
            let role = try await house.store.createRole(
                "Runner", path: "/a/b/", account: customer, trustPolicy: trustEverybody, by: actor)
            let look = { (text: String) in
                let pattern = try PrincipalPattern(aws: text)
                return try await house.pool.withConnection { try await house.store.look(up: pattern, on: $0) }
            }
            #expect(try await look("arn:aws:iam::\(customer):role/a/b/Runner") == .identity(role.roleID))
            #expect(try await look("arn:aws:iam::\(customer):role/Runner") == .missing)
            #expect(try await look("arn:aws:iam::\(customer):role/a/b/runner") == .missing)
            #expect(try await look("arn:aws:sts::\(customer):assumed-role/Runner/x") == .identity(role.roleID))
            #expect(try await look("arn:aws:iam::\(customer):root") == .account(customer))
            #expect(try await look("000000000001") == .missing)
            #expect(try await look(role.roleID) == .identity(role.roleID))
            #expect(try await look("*") == .unchecked)
            if case .identity = try await look("arn:aws:iam::\(customer):user/admin") {} else { Issue.record("no user") }
        }
    }
}
