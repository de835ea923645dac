import AWSProtocol
import AWSServer
import Accounts
import AuditTrail
import AuthorityAPI
import FoundationEssentials
import Freshness
import Logging
import Postgres
import PostgresTesting
import Testing

/// A second authority process over a house's database, whose caches hear nothing of what the first one changes.
private struct SecondProcess: Sendable {
    let accounts: AccountsStore
    let handler: AuthorityHandler

    init(_ house: AuthorityHouse) async throws {
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let board = CacheBoard()
        board.heard()
        let trail = try await AuditTrail.open(pool: house.pool, logger: logger)
        accounts = AccountsStore(
            pool: house.pool, sealer: OpenSealer(), trail: trail, region: AuthorityHouse.region, board: board)
        let authenticator = try await RequestAuthenticator.make(
            store: accounts, verifier: SigV4Verifier(region: AuthorityHouse.region))
        handler = AuthorityHandler(
            services: [STSService(accounts: accounts, pool: house.pool, trail: trail, identity: house.identity)],
            authenticator: authenticator, recorder: CallRecorder(trail: trail, identity: house.identity),
            region: AuthorityHouse.region, board: board, logger: logger)
    }

    /// Status of GetCallerIdentity, or of what `body` says.
    func status(
        of credentials: AWSCredentials, body: String = "Action=GetCallerIdentity&Version=2011-06-15",
        alter: (inout AWSRequest) -> Void = { _ in }
    ) async throws -> Int {
        var request = AWSRequest(
            headers: [("Host", "127.0.0.1"), ("Content-Type", "application/x-www-form-urlencoded")], body: Array(body.utf8),
            sourceAddress: "198.51.100.7", receivedAt: Date())
        try SigV4Signer(credentials: credentials, region: AuthorityHouse.region, service: "sts").sign(&request, at: Date())
        alter(&request)
        return await handler.respond(to: request, requestID: UUID().uuidString).status
    }
}

@Suite(.enabled(if: TestDatabase.isAvailable)) struct CredentialsOfSeveralProcessesTests {
    private static let customer = AuthorityHouse.customer

    @Test func aDeactivatedKeyIsUnknownToTheNextCallAtAnotherProcess() async throws {
        try await AuthorityHouse.with { house in
            let second = try await SecondProcess(house)
            let user = try await house.user("u")
            for _ in 0..<3 { #expect(try await second.status(of: user) == 200) }
            let id = user.accessKeyID
            try await house.accounts.setAccessKey(id, status: .inactive, account: Self.customer, by: .commandLine)
            #expect(try await second.status(of: user) == 403)
            try await house.accounts.setAccessKey(id, status: .active, account: Self.customer, by: .commandLine)
            #expect(try await second.status(of: user) == 200)
            try await house.accounts.deleteAccessKey(id, account: Self.customer, by: .commandLine)
            #expect(try await second.status(of: user) == 403)
        }
    }

    @Test func aCallThatIsNotRecordedIsNoWayAroundIt() async throws {
        try await AuthorityHouse.with { house in
            let second = try await SecondProcess(house)
            let user = try await house.user("u")
            let malformed = "Action=AssumeRole&Version=2011-06-15&Nonsense=1"
            #expect(try await second.status(of: user) == 200)
            #expect(try await second.status(of: user, body: malformed) == 400)
            try await house.accounts.setAccessKey(
                user.accessKeyID, status: .inactive, account: Self.customer, by: .commandLine)
            #expect(try await second.status(of: user, body: malformed) == 403)
        }
    }

    @Test func aSessionEndsWithItsRoleAtEveryProcess() async throws {
        try await AuthorityHouse.with { house in
            let second = try await SecondProcess(house)
            let role = try await house.role(
                "r", trust: #"{"Effect":"Allow","Principal":{"AWS":"\#(Self.customer)"},"Action":"sts:AssumeRole"}"#)
            let session = try await house.assume(role, as: house.admin)
            for _ in 0..<2 { #expect(try await second.status(of: session) == 200) }
            let withoutToken = AWSCredentials(accessKeyID: session.accessKeyID, secretAccessKey: session.secretAccessKey)
            #expect(try await second.status(of: withoutToken) == 403)
            try await house.accounts.deleteRole("r", account: Self.customer, by: .commandLine)
            #expect(try await second.status(of: session) == 403)
        }
    }

    @Test func aKnownKeyWithAnotherSignatureIsRefusedAndStaysKnown() async throws {
        try await AuthorityHouse.with { house in
            let second = try await SecondProcess(house)
            let user = try await house.user("u")
            #expect(try await second.status(of: user) == 200)
            #expect(try await second.status(of: user) { $0.body[0] ^= 1 } == 403)
            #expect(try await second.status(of: user) == 200)
        }
    }
}
