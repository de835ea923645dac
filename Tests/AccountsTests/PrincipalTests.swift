import AWSProtocol
import Accounts
import AuditTrail
import FoundationEssentials
import Policies
import Testing

@Suite struct PrincipalTests {
    let service = ServiceIdentity(region: region)
    let time = Date(timeIntervalSince1970: 1_795_440_506)

    func user(_ name: String, account: String) -> Principal {
        Principal(
            kind: .user(.init(name: name)), account: account, arn: .user(account: account, name: name),
            userID: "AIDAAAAAAAAAAAAAAAAAA", accessKeyID: "AKIAAAAAAAAAAAAAAAAA")
    }

    func session(_ role: String, account: String, name: String = "s") -> Principal {
        let session = Principal.RoleSession(
            roleARN: .role(account: account, name: role), roleID: "AROAAAAAAAAAAAAAAAAAA", sessionName: name, createdAt: time,
            expiresAt: time.addingTimeInterval(900))
        return Principal(
            kind: .assumedRole(session), account: account, arn: .session(account: account, role: role, name: name),
            userID: "AROAAAAAAAAAAAAAAAAAA:\(name)", accessKeyID: "ASIAAAAAAAAAAAAAAAAA")
    }

    @Test func onlyTheUsersOfApiAndWorkerActAsTheService() {
        #expect(service.actsAsService(user("forecastle-api", account: service.account)))
        #expect(service.actsAsService(user("forecastle-worker", account: service.account)))
        #expect(!service.actsAsService(user("forecastle-operator", account: service.account)))
        #expect(!service.actsAsService(user("forecastle-api", account: customer)))
        #expect(!service.actsAsService(session("forecastle-worker", account: service.account)))
        #expect(service.mayAuthorize(user("forecastle-api", account: service.account)))
        #expect(!service.mayAuthorize(user("forecastle-worker", account: service.account)))
        #expect(!service.mayAuthorize(user("forecastle-api", account: customer)))
    }

    @Test func theServicesOwnCallsShowItsName() {
        let worker = session("forecastle-worker", account: service.account, name: "job-1")
        #expect(
            worker.trailIdentity(service).json.serializedString == #"{"type":"AWSService","invokedBy":"forecast.amazonaws.com"}"#)
        #expect(worker.trailSource(sourceIP: "10.0.0.1", userAgent: "x", service).sourceIPAddress == "forecast.amazonaws.com")
        let person = user("forecastle-operator", account: service.account)
        #expect(person.trailIdentity(service).kind == .iamUser)
        #expect(person.trailSource(sourceIP: "10.0.0.1", userAgent: "x", service).sourceIPAddress == "10.0.0.1")
        // A customer's role of the same name is a customer's.
        #expect(session("forecastle-worker", account: customer).trailIdentity(service).kind == .assumedRole)
    }

    @Test func aSessionIsRecordedWithItsRoleAsIssuer() {
        let json = session("Admin", account: customer, name: "Sampleuser01").trailIdentity(service).json
        #expect(json.keys == ["type", "principalId", "arn", "accountId", "accessKeyId", "sessionContext"])
        let issuer = json["sessionContext"]?["sessionIssuer"]
        #expect(issuer?["arn"]?.stringValue == "arn:aws:iam::\(customer):role/Admin")
        #expect(issuer?["principalId"]?.stringValue == "AROAAAAAAAAAAAAAAAAAA")
    }

    @Test func conditionKeysSayWhoAndHow() {
        let direct = RequestCircumstances(time: time, sourceIP: "203.0.113.7", isSecureTransport: true, region: region)
        let context = user("admin", account: customer).conditionContext(direct)
        #expect(context["aws:username"] == ["admin"])
        #expect(context["aws:PrincipalArn"] == ["arn:aws:iam::\(customer):user/admin"])
        #expect(context["aws:SecureTransport"] == ["true"] && context["aws:SourceIp"] == ["203.0.113.7"])
        #expect(context["aws:CurrentTime"] == ["2026-11-23T13:28:26Z"] && context["aws:EpochTime"] == ["1795440506"])
        #expect(context["kms:ViaService"] == nil && context["kms:CallerAccount"] == [customer])
        #expect(context["aws:MultiFactorAuthPresent"] == nil)
        let ofSession = session("r", account: customer).conditionContext(direct)
        #expect(ofSession["aws:PrincipalArn"] == ["arn:aws:iam::\(customer):role/r"])
        #expect(ofSession["aws:userid"] == ["AROAAAAAAAAAAAAAAAAAA:s"] && ofSession["aws:username"] == nil)
        #expect(ofSession["aws:MultiFactorAuthPresent"] == ["false"])
    }

    @Test func aForwardedCallNamesTheService() {
        var circumstances = RequestCircumstances(time: time, sourceIP: "203.0.113.7", isSecureTransport: true, region: region)
        circumstances.forwarded = .init(viaService: service.viaService, servicePrincipal: service.servicePrincipal)
        let context = user("admin", account: customer).conditionContext(circumstances)
        #expect(context["kms:ViaService"] == ["forecast.us-west-2.amazonaws.com"])
        #expect(context["aws:ViaAWSService"] == ["true"] && context["aws:CalledVia"] == ["forecast.amazonaws.com"])
    }
}
