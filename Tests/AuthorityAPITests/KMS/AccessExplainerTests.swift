import AWSProtocol
import Accounts
import AuthorityAPI
import FoundationEssentials
import Keys
import Policies
import Postgres
import PostgresTesting
import Testing

/// That an explanation is the authority's own decision, whatever decides it.
@Suite(.enabled(if: TestDatabase.isAvailable)) struct AccessExplainerTests {
    private static let customer = KMSHouse.customer
    private static let ann = "arn:aws:iam::\(customer):user/ann"

    private func explain(
        _ house: KMSHouse, _ principal: String, _ action: String, _ resource: String, context: [String: [String]] = [:],
        encryptionContext: [String: String] = [:]
    ) async throws -> AccessExplanation {
        let explainer = AccessExplainer(
            accounts: house.accounts, keys: house.keys, pool: house.pool, identity: ServiceIdentity(region: KMSHouse.region))
        return try await explainer.explain(
            AccessQuestion(
                principal: principal, action: action, resource: resource, context: context, encryptionContext: encryptionContext),
            now: Date())
    }

    @Test func itSaysWhatTheCallHears() async throws {
        try await KMSHouse.with { house in
            let key = try await house.createKey()
            let credentials = try await house.user("ann", allowing: "kms:Decrypt")
            for operation in ["DescribeKey", "GetKeyPolicy", "ListGrants"] {
                let answer = try await house.kms(operation, ["KeyId": .string(key)], as: credentials)
                let explanation = try await explain(house, Self.ann, "kms:\(operation)", key)
                #expect(explanation.isAllowed == (answer.status == 200))
                #expect(explanation.decision.message == (answer["message"] ?? ""))
            }
            _ = try await house.kms("CreateAlias", ["AliasName": "alias/sales", "TargetKeyId": .string(key)])
            let decrypt = try await explain(house, credentials.accessKeyID, "kms:Decrypt", "alias/sales")
            #expect(decrypt.isAllowed && decrypt.resource == key && decrypt.principal == Self.ann)
            guard case .allowed(.statement(let statement)) = decrypt.decision.outcome else {
                Issue.record("\(decrypt.decision.outcome)")
                return
            }
            #expect(statement.policy == "p" && statement.index == 0)
            let delegates = decrypt.decision.sides.contains {
                if case .delegates = $0.verdict { $0.part == .resource } else { false }
            }
            #expect(delegates)
        }
    }

    @Test func aGrantIsNamedAndTheKeysStateIsToldApart() async throws {
        try await KMSHouse.with { house in
            let key = try await house.createKey()
            _ = try await house.user("ann")
            let made = try await house.kms(
                "CreateGrant",
                [
                    "KeyId": .string(key), "GranteePrincipal": .string(Self.ann), "Operations": ["Decrypt"],
                    "Constraints": ["EncryptionContextSubset": ["a": "1"]],
                ])
            let within = try await explain(house, Self.ann, "kms:Decrypt", key, encryptionContext: ["a": "1", "b": "2"])
            #expect(within.isAllowed && within.decision.grantID == made["GrantId"])
            #expect(try await !explain(house, Self.ann, "kms:Decrypt", key, encryptionContext: ["a": "2"]).isAllowed)
            _ = try await house.kms("DisableKey", ["KeyId": .string(key)])
            let disabled = try await explain(house, Self.ann, "kms:Decrypt", key, encryptionContext: ["a": "1"])
            #expect(disabled.decision.isAllowed && !disabled.isAllowed)
            #expect(disabled.refusal?.hasPrefix("DisabledException") == true)
        }
    }

    @Test func aGrantThatHandsOnMoreThanItsOwnIsRefused() async throws {
        try await KMSHouse.with { house in
            let key = try await house.createKey()
            _ = try await house.user("ann")
            _ = try await house.kms(
                "CreateGrant",
                ["KeyId": .string(key), "GranteePrincipal": .string(Self.ann), "Operations": ["CreateGrant", "Decrypt"]])
            for (operation, isAllowed) in [("Decrypt", true), ("Encrypt", false)] {
                let explanation = try await explain(
                    house, Self.ann, "kms:CreateGrant", key, context: ["kms:GrantOperations": [operation]])
                #expect(explanation.isAllowed == isAllowed, "\(operation)")
            }
        }
    }

    @Test func trustPoliciesAndTheServiceAreAnswered() async throws {
        try await KMSHouse.with { house in
            let role = try await house.accounts.createRole(
                "data", account: Self.customer,
                trustPolicy: #"""
                    {"Statement":{"Effect":"Allow","Principal":{"Service":"forecast.amazonaws.com"},"Action":"sts:AssumeRole",
                     "Condition":{"StringEquals":{"aws:SourceAccount":"\#(Self.customer)"}}}}
                    """#, by: .commandLine)
            let arn = role.arn.description
            let own = try await explain(
                house, "forecast.amazonaws.com", "sts:AssumeRole", arn, context: ["aws:SourceAccount": [Self.customer]])
            #expect(own.isAllowed)
            #expect(try await !explain(house, "forecast.amazonaws.com", "sts:AssumeRole", arn).isAllowed)
            let admin = "arn:aws:iam::\(Self.customer):user/admin"
            let person = try await explain(house, admin, "sts:AssumeRole", arn)
            #expect(person.decision.outcome == .denied(.missingAllow(.resource)))
            // What has no resource's policy is the principal's own business.
            #expect(try await explain(house, admin, "forecast:ListDatasets", "*").isAllowed)
            #expect(try await !explain(house, arn, "forecast:ListDatasets", "*").isAllowed)
        }
    }

    @Test func rolesAndSessionsHaveTheirRolesPolicies() async throws {
        try await KMSHouse.with { house in
            let role = try await house.accounts.createRole(
                "data", account: Self.customer,
                trustPolicy:
                    #"{"Statement":{"Effect":"Allow","Principal":{"AWS":"\#(Self.customer)"},"Action":"sts:AssumeRole"}}"#,
                by: .commandLine)
            try await house.accounts.putPolicy(
                "use", document: #"{"Statement":{"Effect":"Allow","Action":"kms:Decrypt","Resource":"*"}}"#, of: .role("data"),
                account: Self.customer, by: .commandLine)
            let key = try await house.createKey()
            let credentials = try await house.assume(role, as: house.admin, name: "night")
            let names = [
                role.arn.description, "arn:aws:sts::\(Self.customer):assumed-role/data/night", credentials.accessKeyID,
                "arn:aws:sts::\(Self.customer):assumed-role/data/nobody",
            ]
            for name in names {
                let allowed = try await explain(house, name, "kms:Decrypt", key)
                #expect(allowed.isAllowed, "\(name)")
                #expect(try await !explain(house, name, "kms:Encrypt", key).isAllowed, "\(name)")
            }
        }
    }

    @Test func askingWritesNothing() async throws {
        try await KMSHouse.with { house in
            let key = try await house.createKey()
            let count = { try await house.pool.query("SELECT 1 FROM audit_records").count }
            let before = try await count()
            _ = try await explain(house, "arn:aws:iam::\(Self.customer):user/admin", "kms:Decrypt", key)
            #expect(try await count() == before)
        }
    }

    /// The API asks on callers' behalf and must not be able to make them somebody else.
    @Test func whoAsksForAnotherCannotChangeWhoThatIs() async throws {
        try await KMSHouse.with { house in
            let condition = #""Condition":{"StringEquals":{"aws:username":"boss"}}"#
            let policy = #"""
                {"Statement":[{"Effect":"Allow","Principal":{"AWS":"\#(Self.customer)"},"Action":"kms:*","Resource":"*"},
                 {"Effect":"Allow","Principal":"*","Action":"kms:Decrypt","Resource":"*",\#(condition)}]}
                """#
            let key = try await house.createKey(["Policy": .string(policy)])
            for (name, isAllowed) in [("ann", false), ("boss", true)] {
                _ = try await house.user(name)
                let principal = try await house.pool.withConnection { connection in
                    try await house.accounts.principal(
                        named: "arn:aws:iam::\(Self.customer):user/\(name)", now: Date(), on: connection)
                }
                let answer = try await house.keys.decide(
                    principal: principal,
                    circumstances: RequestCircumstances(
                        time: Date(), sourceIP: "", isSecureTransport: false, region: KMSHouse.region),
                    action: "kms:Decrypt", key: key, encryptionContext: [:],
                    context: ConditionContext(["aws:username": ["boss"]]))
                #expect(answer.isAllowed == isAllowed, "\(name)")
            }
        }
    }

    @Test(arguments: [
        "arn:aws:iam::123456789012:user/nobody", "arn:aws:iam::123456789012:role/nobody", "AKIAAAAAAAAAAAAAAAAA", "nobody",
        "arn:aws:iam::000000000000:root", "arn:aws:sts::123456789012:assumed-role/nobody/s",
    ])
    func nobodyIsAnError(name: String) async throws {
        try await KMSHouse.with { house in
            await #expect(throws: AccountsError.self) { try await explain(house, name, "kms:ListKeys", "*") }
        }
    }
}
