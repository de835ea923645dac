import AWSProtocol
import Accounts
import Keys
import Policies
import PostgresTesting
import Testing

@Suite struct ServicePrincipalNameTests {
    @Test(arguments: [
        "forecast.amazonaws.com", "a.b.c", "Forecast.us-west-2.amazonaws.com", String(repeating: "a", count: 124) + ".b.c",
    ])
    func namesOfServicesAreRead(text: String) { #expect(ServicePrincipalName.isValid(text)) }

    @Test(arguments: [
        "", "forecast", "amazonaws.com", ".amazonaws.com", "a..b.c", "a.b.c.", "arn:aws:iam::123456789012:root", "a_b.c.d",
        "ä.b.c",
        String(repeating: "a", count: 125) + ".b.c",
    ])
    func nothingElseIs(text: String) { #expect(!ServicePrincipalName.isValid(text)) }
}

@Suite(.enabled(if: TestDatabase.isAvailable)) struct ServiceGrantTests {
    private let predictor = "arn:aws:forecast:us-west-2:\(customer):predictor/p"
    private let other = "arn:aws:forecast:us-west-2:\(customer):predictor/q"

    /// A session of the service's worker, for a resource or for none.
    private func worker(_ house: House, for source: String?, name: String = "job1") async throws -> Principal {
        let role: RoleEntity
        if let found = try await house.accounts.role("forecastle-worker", account: service.account) {
            role = found
        } else {
            role = try await house.role(
                "forecastle-worker", of: service.account,
                allows: ["kms:Decrypt", "kms:GenerateDataKey", "kms:DescribeKey", "kms:ListRetirableGrants", "kms:ListGrants"])
        }
        return try await house.session(
            of: role, name: name, record: source.map { .of($0, callerAccount: service.account) })
    }

    @Test func theServiceUsesTheKeyForTheResourceOfTheGrantAlone() async throws {
        try await House.with { house in
            let admin = try await house.admin
            let key = try await house.createKey()
            let blob = try await house.encrypt(admin, key, context: ["a": "1"])
            _ = try await house.serviceGrant(admin, key, for: predictor, subset: ["a": "1"])
            let right = try await worker(house, for: predictor)
            #expect(try await house.decrypt(right, blob, context: ["a": "1"]) == "secret")
            _ = try await house.keys.describeKey(house.call(right, .describeKey), key: key, grantTokens: [])
            // Not for another resource, for none, another operation, another context; and nobody but the service.
            for wrong in [try await worker(house, for: other), try await worker(house, for: nil)] {
                #expect(await refusal { _ = try await house.decrypt(wrong, blob, context: ["a": "1"]) } == .accessDenied)
                let code = await refusal {
                    _ = try await house.keys.describeKey(house.call(wrong, .describeKey), key: key, grantTokens: [])
                }
                #expect(code == .accessDenied)
            }
            #expect(await refusal { _ = try await house.encrypt(right, key, context: ["a": "1"]) } == .accessDenied)
            let second = try await house.encrypt(admin, key, context: ["b": "1"])
            #expect(await refusal { _ = try await house.decrypt(right, second, context: ["b": "1"]) } == .accessDenied)
            let role = try await house.role("passed", allows: ["kms:ListKeys"])
            let passed = try await house.session(of: role, record: .of(predictor))
            let stranded = try await house.session(
                of: house.role("r", of: service.account, allows: ["*"]), record: .of(predictor))
            for somebody in [passed, stranded] {
                #expect(await refusal { _ = try await house.decrypt(somebody, blob, context: ["a": "1"]) } == .accessDenied)
            }
        }
    }

    @Test func aSourceBindsAnOrdinaryGranteeToo() async throws {
        try await House.with { house in
            let admin = try await house.admin
            let key = try await house.createKey()
            let blob = try await house.encrypt(admin, key)
            let role = try await house.role("passed")
            _ = try await house.keys.createGrant(
                house.call(admin, .createGrant), key: key,
                GrantRequest(grantee: role.arn.description, operations: [.decrypt], sourceARN: predictor), grantTokens: [],
                isDryRun: false)
            #expect(try await house.decrypt(house.session(of: role, record: .of(predictor)), blob) == "secret")
            for record in [.of(other), nil] as [SessionRecord?] {
                let session = try await house.session(of: role, record: record)
                #expect(await refusal { _ = try await house.decrypt(session, blob) } == .accessDenied)
            }
        }
    }

    @Test func itIsRetiredByTheServiceForWhateverItActs() async throws {
        try await House.with { house in
            let admin = try await house.admin
            let key = try await house.createKey()
            let bystander = try await house.user("bystander")
            let services = [try await worker(house, for: nil), try await worker(house, for: other)]
            let role = try await house.role("passed")
            for retirer in services {
                let grant = try await house.serviceGrant(admin, key, for: predictor)
                let retire = { (principal: Principal) in
                    await refusal {
                        try await house.keys.retireGrant(
                            house.call(principal, .retireGrant), .grant(id: grant.id, key: house.arn(key)), isDryRun: false)
                    }
                }
                let passed = try await house.session(of: role, record: .of(predictor))
                for somebody in [bystander, passed] { #expect(await retire(somebody) == .accessDenied) }
                #expect(await retire(retirer) == nil)
            }
            // A grantee with RetireGrant among the operations; the constraint does not apply to retiring.
            let sweeper = try await house.role("forecastle-sweeper", of: service.account)
            let own = try await house.serviceGrant(admin, key, for: predictor, [.decrypt, .retireGrant], retiring: admin.arn)
            try await house.keys.retireGrant(
                house.call(house.session(of: sweeper), .retireGrant), .grant(id: own.id, key: house.arn(key)), isDryRun: false)
        }
    }

    @Test func aGrantToAServiceNeedsASourceAndARetirer() async throws {
        let code = { (request: () throws -> GrantRequest) -> KeyError.Code? in
            do {
                _ = try request()
                return nil
            } catch { return (error as? KeyError)?.code }
        }
        let name = service.servicePrincipal
        let arn = "arn:aws:iam::\(customer):user/u"
        #expect(
            code { try GrantRequest(granteeService: name, retiringService: name, operations: [.decrypt], sourceARN: predictor) }
                == nil)
        #expect(
            code { try GrantRequest(granteeService: name, retiring: arn, operations: [.decrypt], sourceARN: predictor) } == nil)
        #expect(code { try GrantRequest(granteeService: name, operations: [.decrypt], sourceARN: predictor) } == .validation)
        #expect(code { try GrantRequest(granteeService: name, retiring: arn, operations: [.decrypt]) } == .validation)
        #expect(code { try GrantRequest(grantee: arn, granteeService: name, operations: [.decrypt]) } == .validation)
        #expect(code { try GrantRequest(operations: [.decrypt]) } == .validation)
        #expect(
            code { try GrantRequest(grantee: arn, retiring: arn, retiringService: name, operations: [.decrypt]) } == .validation)
        #expect(code { try GrantRequest(grantee: name, operations: [.decrypt]) } == .invalidArn)
        #expect(
            code { try GrantRequest(granteeService: "forecast", retiring: arn, operations: [.decrypt], sourceARN: predictor) }
                == .validation)
        try await House.with { house in
            let admin = try await house.admin
            let key = try await house.createKey()
            // Nobody acts as another service here.
            let unknown = await refusal {
                _ = try await house.keys.createGrant(
                    house.call(admin, .createGrant), key: key,
                    GrantRequest(
                        granteeService: "dynamodb.us-west-2.amazonaws.com", retiring: admin.arn.description,
                        operations: [.decrypt], sourceARN: predictor), grantTokens: [], isDryRun: false)
            }
            #expect(unknown == .validation)
        }
    }

    @Test func nameAndSourceMakeAGrantTheSame() async throws {
        try await House.with { house in
            let admin = try await house.admin
            let key = try await house.createKey()
            let first = try await house.serviceGrant(admin, key, for: predictor, name: "n")
            #expect(try await house.serviceGrant(admin, key, for: predictor, name: "n").id == first.id)
            #expect(try await house.serviceGrant(admin, key, for: other, name: "n").id != first.id)
        }
    }

    @Test func aGrantMadeThroughOneWithASourceKeepsIt() async throws {
        try await House.with { house in
            let admin = try await house.admin
            let key = try await house.createKey()
            let role = try await house.role("passed")
            let session = try await house.session(of: role, record: .of(predictor))
            _ = try await house.keys.createGrant(
                house.call(admin, .createGrant), key: key,
                GrantRequest(grantee: role.arn.description, operations: [.decrypt, .createGrant], sourceARN: predictor),
                grantTokens: [], isDryRun: false)
            for (source, allowed) in [(predictor, true), (other, false), (nil, false)] as [(String?, Bool)] {
                let code = await refusal {
                    _ = try await house.keys.createGrant(
                        house.call(session, .createGrant), key: key,
                        GrantRequest(grantee: admin.arn.description, operations: [.decrypt], sourceARN: source), grantTokens: [],
                        isDryRun: false)
                }
                #expect(code == (allowed ? nil : .accessDenied), "\(source ?? "none")")
            }
        }
    }

    @Test func bothGrantsOfAReEncryptionNameOneSource() async throws {
        try await House.with { house in
            let admin = try await house.admin
            let keys = [try await house.createKey(), try await house.createKey()]
            let blob = try await house.encrypt(admin, keys[0])
            let role = try await house.role("passed")
            let session = try await house.session(of: role, record: .of(predictor))
            func grant(_ key: KeyReference, _ operation: GrantOperation, _ source: String?) async throws -> CreatedGrant {
                try await house.keys.createGrant(
                    house.call(admin, .createGrant), key: key,
                    GrantRequest(grantee: role.arn.description, operations: [operation], sourceARN: source), grantTokens: [],
                    isDryRun: false)
            }
            _ = try await grant(keys[0], .reEncryptFrom, predictor)
            let open = try await grant(keys[1], .reEncryptTo, nil)
            #expect(await refusal { _ = try await house.reEncrypt(session, blob, to: keys[1]) } == .accessDenied)
            try await house.keys.revokeGrant(
                house.call(admin, .revokeGrant), key: keys[1], grantID: open.id, isDryRun: false)
            _ = try await grant(keys[1], .reEncryptTo, predictor)
            _ = try await house.reEncrypt(session, blob, to: keys[1])
        }
    }

    @Test func listsByServiceAreForTheServiceAlone() async throws {
        try await House.with { house in
            let admin = try await house.admin
            let key = try await house.createKey()
            let grant = try await house.serviceGrant(admin, key, for: predictor)
            let own = try await worker(house, for: nil)
            let list = { (principal: Principal) in
                try await house.keys.listRetirableGrants(
                    house.call(principal, .listRetirableGrants), retiring: service.servicePrincipal, limit: 10, marker: nil
                ).items.map(\.id)
            }
            #expect(try await list(own) == [grant.id])
            #expect(await refusal { _ = try await list(admin) } == .accessDenied)
            let all = try await house.keys.listGrants(
                house.call(admin, .listGrants), key: key, grantID: nil, grantee: nil, limit: 10, marker: nil)
            #expect(all.items.map(\.sourceARN) == [predictor] && all.items[0].isForService && all.items[0].isRetiredByService)
            let filtered = await refusal {
                _ = try await house.keys.listGrants(
                    house.call(admin, .listGrants), key: key, grantID: nil, grantee: service.servicePrincipal, limit: 10,
                    marker: nil)
            }
            #expect(filtered == .accessDenied)
        }
    }
}

extension House {
    /// A grant to the service for one of its resources, retired by the service or by `retiring`.
    func serviceGrant(
        _ principal: Principal, _ key: KeyReference, for source: String,
        _ operations: [GrantOperation] = [.decrypt, .describeKey],
        subset: [String: String]? = nil, retiring: ARN? = nil, name: String? = nil
    ) async throws -> CreatedGrant {
        try await keys.createGrant(
            call(principal, .createGrant), key: key,
            GrantRequest(
                granteeService: service.servicePrincipal, retiring: retiring?.description,
                retiringService: retiring == nil ? service.servicePrincipal : nil, operations: operations,
                constraints: .init(subset: subset), sourceARN: source, name: name),
            grantTokens: [], isDryRun: false)
    }
}
