import AWSProtocol
import Accounts
import AuthorityAPI
import FoundationEssentials
import PostgresTesting
import Secrets
import Synchronization
import Testing

@Suite(.enabled(if: TestDatabase.isAvailable)) struct AuthorizeTests {
    static let customer = AuthorityHouse.customer
    static let dataset = AuthorizeRequest.Decision(
        action: "forecast:CreateDataset", resource: "arn:aws:forecast:us-west-2:${Account}:dataset/d")

    /// What the API received from a caller and hands on.
    func claim(
        of credentials: AWSCredentials, operation: String = "CreateDataset", service: String = "forecast",
        alter: (inout AWSRequest) -> Void = { _ in }
    ) throws -> SignedRequestClaim {
        var request = AWSRequest(
            headers: [("Host", "forecast"), ("X-Amz-Target", "AmazonForecast.\(operation)")],
            body: Array(#"{"DatasetName":"d"}"#.utf8), receivedAt: Date())
        try SigV4Signer(credentials: credentials, region: AuthorityHouse.region, service: service).sign(&request, at: Date())
        alter(&request)
        return try SignedRequestClaim(parsing: request)
    }

    func ask(
        _ house: AuthorityHouse, _ claim: SignedRequestClaim, _ decisions: [AuthorizeRequest.Decision] = [dataset],
        as asker: AWSCredentials? = nil, event: String = "CreateDataset"
    ) async throws -> Answer {
        let request = AuthorizeRequest(
            claim: claim, sourceIP: "203.0.113.9", userAgent: "Boto3/1.43", requestID: "req-1", isSecureTransport: true,
            audit: .init(
                eventSource: "forecast.amazonaws.com", eventName: event, isReadOnly: false,
                requestParameters: ["datasetName": "d"],
                resources: [
                    [
                        "ARN": "arn:aws:forecast:us-west-2:${Account}:dataset/d", "accountId": "${Account}",
                        "type": "AWS::Forecast::Dataset",
                    ]
                ]), decisions: decisions)
        return try await house.json(
            "ForecastleAuthority.Authorize", request.json, as: asker ?? house.api, service: AuthorizeRequest.signingName)
    }

    func decisions(_ answer: Answer) throws -> [AuthorizeResponse.Decision] {
        try AuthorizeResponse(json: try #require(answer.json.objectValue)).decisions
    }

    @Test func theCallerIsWhoSignedAndIsRecorded() async throws {
        try await AuthorityHouse.with { house in
            let answer = try await ask(house, try claim(of: house.admin))
            let response = try AuthorizeResponse(json: try #require(answer.json.objectValue))
            #expect(response.principal.arn == "arn:aws:iam::\(Self.customer):user/admin")
            #expect(response.principal.account == Self.customer && response.principal.type == "User")
            #expect(response.decisions == [.init(isAllowed: true)])
            let record = try #require(try await house.records("CreateDataset").first)
            #expect(record["eventID"]?.stringValue == response.eventID)
            #expect(record["sourceIPAddress"]?.stringValue == "203.0.113.9" && record["requestID"]?.stringValue == "req-1")
            #expect(record["eventSource"]?.stringValue == "forecast.amazonaws.com" && record["errorCode"] == nil)
            #expect(record["requestParameters"]?["datasetName"]?.stringValue == "d")
            let resource = record["resources"]?.arrayValue?.first
            #expect(resource?["ARN"]?.stringValue == "arn:aws:forecast:us-west-2:\(Self.customer):dataset/d")
            #expect(resource?["accountId"]?.stringValue == Self.customer)
        }
    }

    @Test func onlyTheAPIMayAsk() async throws {
        try await AuthorityHouse.with { house in
            let signed = try claim(of: house.admin)
            for asker in [house.admin, house.worker, house.users["forecastle-operator"]!] {
                #expect(try await ask(house, signed, as: asker).code == "AccessDeniedException")
            }
            #expect(try await house.records("CreateDataset").isEmpty)
            #expect(try await house.records("Authorize").count == 1)
        }
    }

    @Test func aForgedClaimIsRefusedWithTheCallersError() async throws {
        try await AuthorityHouse.with { house in
            let wrong = AWSCredentials(accessKeyID: house.admin.accessKeyID, secretAccessKey: Redacted("wrong"))
            #expect(try await ask(house, try claim(of: wrong)).code == "InvalidSignatureException")
            let unknown = AWSCredentials(accessKeyID: "AKIAAAAAAAAAAAAAAAAA", secretAccessKey: Redacted("wrong"))
            #expect(try await ask(house, try claim(of: unknown)).code == "UnrecognizedClientException")
            #expect(try await ask(house, try claim(of: house.admin, service: "kms")).code == "InvalidSignatureException")
            let altered = try claim(of: house.admin) { $0.body = Array(#"{"DatasetName":"e"}"#.utf8) }
            #expect(try await ask(house, altered).code == "InvalidSignatureException")
            #expect(try await house.records("CreateDataset").isEmpty)
        }
    }

    @Test func aClaimForAnotherOperationDoesNotPass() async throws {
        try await AuthorityHouse.with { house in
            let describe = try claim(of: house.admin, operation: "DescribeDataset")
            #expect(try await ask(house, describe).code == "ValidationException")
        }
    }

    @Test func deniedCallsAreRecordedAsDenied() async throws {
        try await AuthorityHouse.with { house in
            let reader = try await house.user(
                "reader", allowing: #"{"Effect":"Allow","Action":"forecast:Describe*","Resource":"*"}"#)
            let decision = try #require(try decisions(try await ask(house, try claim(of: reader))).first)
            #expect(!decision.isAllowed && decision.code == "AccessDeniedException")
            #expect(decision.message.contains("is not authorized to perform: forecast:CreateDataset"))
            let record = try #require(try await house.records("CreateDataset").first)
            #expect(record["errorCode"]?.stringValue == "AccessDenied")
        }
    }

    @Test func aRoleIsPassedOnlyWhereItExistsInTheCallersAccount() async throws {
        try await AuthorityHouse.with { house in
            let role = try await house.role("F", trust: STSTests.trustForecast)
            let other = "210987654321"
            try await house.accounts.createAccount(other, name: "other", by: .commandLine)
            let foreign = try await house.role("F", trust: STSTests.trustForecast, account: other)
            let pass = { (arn: String, service: String) in
                AuthorizeRequest.Decision(action: "iam:PassRole", resource: arn, context: ["iam:PassedToService": [service]])
            }
            let passer = try await house.user(
                "passer",
                allowing:
                    #"{"Effect":"Allow","Action":"iam:PassRole","Resource":"*","Condition":{"StringEquals":{"iam:PassedToService":"forecast.amazonaws.com"}}}"#
            )
            let answers = try decisions(
                try await ask(
                    house, try claim(of: passer),
                    [
                        pass(role.arn.description, "forecast.amazonaws.com"), pass(role.arn.description, "ec2.amazonaws.com"),
                        pass("arn:aws:iam::${Account}:role/F", "forecast.amazonaws.com"),
                        pass("arn:aws:iam::\(Self.customer):role/absent", "forecast.amazonaws.com"),
                        pass(foreign.arn.description, "forecast.amazonaws.com"),
                    ]))
            #expect(answers.map(\.isAllowed) == [true, false, true, false, false])
        }
    }

    @Test func keysAreDecidedAsForwardedByTheService() async throws {
        try await AuthorityHouse.with { house in
            let key = "arn:aws:kms:us-west-2:\(Self.customer):key/k"
            let use = AuthorizeRequest.Decision(
                action: "kms:Decrypt", resource: key,
                context: ["kms:EncryptionContext:forecastle:account": [Self.customer], "kms:RequestAlias": ["x"]])
            house.keys.answer.withLock {
                $0 = KeyAccess(isAllowed: false, code: "DisabledException", message: "\(key) is disabled.")
            }
            let answers = try decisions(try await ask(house, try claim(of: house.admin), [Self.dataset, use]))
            #expect(answers.map(\.isAllowed) == [true, false])
            #expect(answers[1].code == "DisabledException")
            let question = try #require(house.keys.questions.withLock { $0.first })
            #expect(question.principal.userName == "admin" && question.key == key && question.action == "kms:Decrypt")
            #expect(question.circumstances.forwarded?.viaService == "forecast.us-west-2.amazonaws.com")
            // The call of KMS comes from the service, whatever the caller's own address.
            #expect(question.circumstances.sourceIP == "127.0.0.1" && question.circumstances.isSecureTransport)
            #expect(question.encryptionContext == ["forecastle:account": Self.customer])
            #expect(try await house.records("CreateDataset").first?["errorCode"]?.stringValue == "DisabledException")
        }
    }

    @Test func aPassedRolesRightsAreItsOwn() async throws {
        try await AuthorityHouse.with { house in
            _ = try await house.role("F", trust: STSTests.trustForecast)
            try await house.accounts.putPolicy(
                "p", document: #"{"Statement":{"Effect":"Allow","Action":"s3:Get*","Resource":"arn:aws:s3:::in/*"}}"#,
                of: .role("F"),
                account: Self.customer, by: .commandLine)
            let arn = "arn:aws:iam::${Account}:role/F"
            let read = { (object: String, role: String) in
                AuthorizeRequest.Decision(action: "s3:GetObject", resource: "arn:aws:s3:::\(object)", role: role)
            }
            let event = "CreateDatasetImportJob"
            let signed = try claim(of: house.admin, operation: event)
            let answers = try decisions(
                try await ask(
                    house, signed, [read("in/a.csv", arn), read("out/a.csv", arn), read("in/a.csv", arn + "x")], event: event))
            #expect(answers.map(\.isAllowed) == [true, false, false])
            for action in ["forecast:CreateDatasetImportJob", "iam:PassRole", "kms:Decrypt"] {
                let wrong = AuthorizeRequest.Decision(action: action, resource: "*", role: arn)
                #expect(try await ask(house, signed, [wrong], event: event).code == "ValidationException")
            }
        }
    }

    @Test func otherActionsCannotBeAskedAbout() async throws {
        try await AuthorityHouse.with { house in
            let signed = try claim(of: house.admin)
            let other = AuthorizeRequest.Decision(action: "iam:CreateUser", resource: "*")
            #expect(try await ask(house, signed, [other]).code == "ValidationException")
            #expect(try await ask(house, signed, []).code == "ValidationException")
            // Nor those of another operation, whatever stands beside them.
            for action in ["forecast:DeleteDataset", "s3:GetObject"] {
                let foreign = AuthorizeRequest.Decision(action: action, resource: "*")
                #expect(try await ask(house, signed, [Self.dataset, foreign]).code == "ValidationException")
            }
        }
    }

    @Test func theAskersContextCannotOverwriteWhatIsKnown() async throws {
        try await AuthorityHouse.with { house in
            let bound = try await house.user(
                "bound",
                allowing:
                    #"{"Effect":"Allow","Action":"forecast:*","Resource":"*","Condition":{"StringEquals":{"aws:username":"somebody"}}}"#
            )
            var decision = Self.dataset
            decision.context = ["aws:username": ["somebody"]]
            #expect(try decisions(try await ask(house, try claim(of: bound), [decision])).map(\.isAllowed) == [false])
        }
    }
}
