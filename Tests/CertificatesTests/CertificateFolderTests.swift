import AWSProtocol
import Certificates
import Foundation
import Testing

@Suite struct CertificateFolderTests {
    private let now = Date(timeIntervalSince1970: 1_800_000_000)

    private func with(_ body: (CertificateFolder) throws -> Void) throws {
        let path = FileManager.default.temporaryDirectory.path + "/certificates-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: path) }
        try body(CertificateFolder(path))
    }

    private func mode(_ path: String) throws -> Int {
        try #require(try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int)
    }

    @Test func aCertificateSaysWhoItIsForAndUntilWhen() throws {
        try with { folder in
            try folder.makeAuthority(now: now)
            let names = try ["api.internal", "10.1.2.3", "::1"].map { try CertificateName($0) }
            try folder.issue(.api, names: names, days: 90, now: now)
            let facts = try PEMFile.facts(folder.certificate("api"))
            #expect(facts.count == 1 && facts[0].identity == .api && facts[0].names == names && !facts[0].isAuthority)
            #expect(facts[0].daysLeft(at: now) == 90 && facts[0].notBefore < now)
            #expect(try PEMFile.isSigned(folder.certificate("api"), byOneOf: folder.authority))
            let authority = try PEMFile.facts(folder.authority)[0]
            #expect(authority.isAuthority && authority.identity == nil && authority.subject == facts[0].issuer)
            try PEMFile.checkPair(certificate: folder.certificate("api"), key: folder.key("api"))
        }
    }

    @Test func keysAreForTheirOwnerAlone() throws {
        try with { folder in
            try folder.makeAuthority(now: now)
            try folder.issue(.worker, names: [], days: 1, now: now)
            #expect(try mode(folder.authorityKey) == 0o600 && mode(folder.key("worker")) == 0o600)
            #expect(try mode(folder.certificate("worker")) == 0o644)
            try FileManager.default.setAttributes([.posixPermissions: 0o604], ofItemAtPath: folder.key("worker"))
            let error = #expect(throws: CertificatesError.self) {
                try PEMFile.checkPair(certificate: folder.certificate("worker"), key: folder.key("worker"))
            }
            #expect(error?.message.contains("chmod 600") == true)
        }
    }

    @Test func aKeyOfAnotherCertificateIsRefused() throws {
        try with { folder in
            try folder.makeAuthority(now: now)
            for identity in [ProcessIdentity.api, .worker] { try folder.issue(identity, names: [], days: 1, now: now) }
            #expect(throws: CertificatesError.self) {
                try PEMFile.checkPair(certificate: folder.certificate("api"), key: folder.key("worker"))
            }
        }
    }

    @Test func onlyWhatIsDueIsRenewedAndItsNamesAndLifeStay() throws {
        try with { folder in
            try folder.makeAuthority(now: now)
            let names = [try CertificateName("localhost")]
            try folder.issue(.api, names: names, days: 90, now: now)
            try folder.issue(.worker, names: [], days: 10, now: now)
            let later = now.addingTimeInterval(7 * 86_400)
            #expect(try folder.renew(now: later) == ["worker"])
            #expect(try PEMFile.facts(folder.certificate("worker"))[0].daysLeft(at: later) == 10)
            #expect(try folder.renew(now: later).isEmpty)
            #expect(try folder.renew(all: true, now: later) == ["api", "worker"])
            let renewed = try PEMFile.facts(folder.certificate("api"))[0]
            #expect(renewed.identity == .api && renewed.names == names && renewed.daysLeft(at: later) == 90)
            try PEMFile.checkPair(certificate: folder.certificate("api"), key: folder.key("api"))
        }
    }

    @Test func aNewAuthorityStandsBesideTheFormerOneUntilAllIsRenewed() throws {
        try with { folder in
            try folder.makeAuthority(now: now)
            try folder.issue(.api, names: [], days: 90, now: now)
            #expect(throws: CertificatesError.self) { try folder.makeAuthority(now: now) }
            try folder.makeAuthority(replacing: true, now: now)
            #expect(try PEMFile.facts(folder.authority).count == 2)
            #expect(try PEMFile.isSigned(folder.certificate("api"), byOneOf: folder.authority))
            #expect(try folder.renew(now: now) == ["api"])
            let newest = try PEMFile.facts(folder.authority)[0].subject
            #expect(try PEMFile.facts(folder.certificate("api"))[0].issuer == newest)
            #expect(try folder.entries().map(\.name) == ["ca", "ca", "api"])
        }
    }

    @Test func anotherInstallationsAuthorityIsNoneOfOurs() throws {
        try with { folder in
            try with { other in
                for each in [folder, other] { try each.makeAuthority(now: now) }
                try other.issue(.api, names: [], days: 1, now: now)
                #expect(try !PEMFile.isSigned(other.certificate("api"), byOneOf: folder.authority))
            }
        }
    }

    @Test(arguments: [0, 826])
    func aLifeBeyondTheBoundsIsRefused(days: Int) throws {
        try with { folder in
            try folder.makeAuthority(now: now)
            #expect(throws: CertificatesError.self) { try folder.issue(.api, names: [], days: days, now: now) }
        }
    }

    @Test func withoutAnAuthorityNothingIsIssued() throws {
        try with { folder in
            let error = #expect(throws: CertificatesError.self) { try folder.issue(.api, names: [], days: 1, now: now) }
            #expect(error?.message.contains("forecastle admin certificates authority") == true)
        }
    }

    @Test(arguments: ["", "-a", "a..b", "a b", "ex_ample", "1.2.3.4.5.", "*.a", String(repeating: "a", count: 64)])
    func whatIsNoNameIsRefused(text: String) {
        #expect(throws: CertificatesError.self) { try CertificateName(text) }
    }

    @Test(arguments: ["localhost", "api-1.internal", "*.example.org", "127.0.0.1", "::1", "2001:db8::1"])
    func aNameReadsAsItWasGiven(text: String) throws {
        #expect(try CertificateName(text).description == text)
    }

    @Test(arguments: ["ca", "A", "a/b", "..", "", "-a"])
    func aFileCanNotBeCalledSo(name: String) throws {
        try with { folder in
            try folder.makeAuthority(now: now)
            #expect(throws: CertificatesError.self) { try folder.issue(.api, as: name, names: [], days: 1, now: now) }
        }
    }

    @Test(arguments: [
        "spiffe://forecastle/", "spiffe://forecastle/api/x", "spiffe://Forecastle/api", "https://forecastle/api",
        "spiffe://forecastle/API", "spiffe://forecastle/-a", "spiffe://elsewhere/api",
    ])
    func anotherURIIsNoIdentity(uri: String) {
        #expect(ProcessIdentity(uri: uri) == nil)
    }

    @Test func anIdentityReadsAsItIsWritten() {
        #expect(
            ProcessIdentity(uri: "spiffe://forecastle/api") == .api && ProcessIdentity.worker.uri == "spiffe://forecastle/worker")
    }
}
