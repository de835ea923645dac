import AWSProtocol
import Accounts
import FoundationEssentials
import Policies
import Postgres
import PostgresTesting
import Secrets
import Testing

@Suite(.enabled(if: TestDatabase.isAvailable)) struct RequestAuthenticatorTests {
    func code(_ body: () async throws -> Principal) async -> String {
        do {
            return "signed by \(try await body().arn)"
        } catch {
            return (error as? AWSError)?.code ?? "\(error)"
        }
    }

    @Test func theHolderOfTheSecretIsTheUser() async throws {
        try await House.with { house in
            let key = try await house.store.createAccessKey(user: "admin", account: customer, by: actor)
            let principal = try await house.authenticate(key.accessKeyID, key.secretAccessKey.revealed)
            #expect(principal.arn.description == "arn:aws:iam::\(customer):user/admin")
            #expect(principal.userID.hasPrefix("AIDA") && principal.accessKeyID == key.accessKeyID)
        }
    }

    @Test func whateverIsWrongIsRefusedUnderItsCode() async throws {
        try await House.with { house in
            let key = try await house.store.createAccessKey(user: "admin", account: customer, by: actor)
            let id = key.accessKeyID
            let secret = key.secretAccessKey.revealed
            let unknown = "UnrecognizedClientException"
            let invalid = "InvalidSignatureException"
            #expect(await code { try await house.authenticate(id, secret + "x") } == invalid)
            #expect(await code { try await house.authenticate(id, secret) { $0.body = Array("{ }".utf8) } } == invalid)
            #expect(await code { try await house.authenticate(id, secret, service: "sts") } == invalid)
            #expect(
                await code { try await house.authenticate(id, secret, signedAt: Date(timeIntervalSinceNow: -301)) } == invalid)
            #expect(await code { try await house.authenticate(id, secret, signedAt: Date(timeIntervalSinceNow: 301)) } == invalid)
            #expect(await code { try await house.authenticate("AKIA" + String(repeating: "A", count: 16), secret) } == unknown)
            #expect(await code { try await house.authenticate("X", secret) } == unknown)
            #expect(await code { try await house.authenticate(id, secret, token: "token") } == unknown)
            try await house.store.setAccessKey(id, status: .inactive, account: customer, by: actor)
            #expect(await code { try await house.authenticate(id, secret) } == unknown)
            try await house.store.setAccessKey(id, status: .active, account: customer, by: actor)
            #expect(await code { try await house.authenticate(id, secret) }.hasPrefix("signed by"))
            try await house.store.deleteAccessKey(id, account: customer, by: actor)
            #expect(await code { try await house.authenticate(id, secret) } == unknown)
        }
    }

    @Test func anUnknownKeyIsNotToldApartByItsSignature() async throws {
        try await House.with { house in
            // The same answer whether the signature of the unknown key has the right form or the clock is off.
            let id = "AKIA" + String(repeating: "B", count: 16)
            for signedAt in [Date(), Date(timeIntervalSinceNow: -3600)] {
                #expect(await code { try await house.authenticate(id, "x", signedAt: signedAt) } == "UnrecognizedClientException")
            }
        }
    }

    @Test func everyClaimCostsOneOpenedSecret() async throws {
        try await House.with { house in
            let key = try await house.store.createAccessKey(user: "admin", account: customer, by: actor)
            let secret = key.secretAccessKey.revealed
            for (id, secret) in [(key.accessKeyID, secret), (key.accessKeyID, "x"), ("AKIAAAAAAAAAAAAAAAAA", "x"), ("X", "x")] {
                let before = house.sealer.opened.value
                _ = await code { try await house.authenticate(id, secret) }
                #expect(house.sealer.opened.value == before + 1, "\(id)")
            }
        }
    }

    @Test func aSessionNeedsItsOwnToken() async throws {
        try await House.with { house in
            let role = try await house.role()
            let one = try await house.session(of: role, name: "one")
            let two = try await house.session(of: role, name: "two")
            let id = one.accessKeyID
            let secret = one.secretAccessKey.revealed
            let principal = try await house.authenticate(id, secret, token: one.sessionToken.revealed)
            #expect(principal.arn.description == "arn:aws:sts::\(customer):assumed-role/r/one")
            #expect(principal.userID == "\(role.roleID):one" && principal.record == nil)
            #expect(await code { try await house.authenticate(id, secret) } == "UnrecognizedClientException")
            #expect(
                await code { try await house.authenticate(id, secret, token: two.sessionToken.revealed) }
                    == "UnrecognizedClientException")
            #expect(
                await code { try await house.authenticate(id, secret + "x", token: one.sessionToken.revealed) }
                    == "InvalidSignatureException")
        }
    }

    @Test func anExpiredSessionHearsSoOnlyWithItsSecret() async throws {
        try await House.with { house in
            let session = try await house.session(of: try await house.role())
            try await house.pool.execute(
                "UPDATE sessions SET created_at = now() - interval '2 hours', expires_at = now() - interval '1 second'")
            let token = session.sessionToken.revealed
            #expect(
                await code { try await house.authenticate(session.accessKeyID, session.secretAccessKey.revealed, token: token) }
                    == "ExpiredTokenException")
            #expect(
                await code { try await house.authenticate(session.accessKeyID, "x", token: token) } == "InvalidSignatureException"
            )
        }
    }

    @Test func sessionsEndWithTheirRole() async throws {
        try await House.with { house in
            let session = try await house.session(of: try await house.role())
            try await house.store.deleteRole("r", account: customer, by: actor)
            let answer = await code {
                try await house.authenticate(
                    session.accessKeyID, session.secretAccessKey.revealed, token: session.sessionToken.revealed)
            }
            #expect(answer == "UnrecognizedClientException")
        }
    }

    @Test func theRecordOfTheServiceComesBackWithTheSession() async throws {
        try await House.with { house in
            let record = SessionRecord(
                sourceARN: "arn:aws:forecast:us-west-2:\(customer):dataset/d", sourceAccount: customer,
                viaService: "forecast.us-west-2.amazonaws.com", callerAccount: customer, grantIsForAWSResource: true,
                sourceIPAddress: "198.51.100.7", userAgent: "Boto3/1")
            let session = try await house.session(of: try await house.role(), record: record)
            let principal = try await house.authenticate(
                session.accessKeyID, session.secretAccessKey.revealed, token: session.sessionToken.revealed)
            #expect(principal.record == record)
            let source = principal.trailSource(sourceIP: "127.0.0.1", userAgent: "worker", ServiceIdentity(region: region))
            #expect(source.sourceIPAddress == "198.51.100.7" && source.userAgent == "Boto3/1")
            let context = principal.conditionContext(
                RequestCircumstances(time: Date(), sourceIP: "127.0.0.1", isSecureTransport: false, region: region))
            #expect(context["kms:ViaService"] == ["forecast.us-west-2.amazonaws.com"])
            #expect(context["kms:CallerAccount"] == [customer] && context["kms:GrantIsForAWSResource"] == ["true"])
        }
    }

    @Test func sessionsThatExpiredADayAgoAreRemoved() async throws {
        try await House.with { house in
            let role = try await house.role()
            _ = try await house.session(of: role, name: "old")
            try await house.pool.execute(
                "UPDATE sessions SET created_at = now() - interval '3 days', expires_at = now() - interval '25 hours'")
            _ = try await house.session(of: role, name: "new")
            let names = try await house.pool.query("SELECT name FROM sessions").map { try $0.get("name", as: String.self) }
            #expect(names == ["new"])
        }
    }
}
