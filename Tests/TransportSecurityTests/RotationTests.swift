import AWSClients
import AWSProtocol
import Certificates
import Foundation
import Testing
import TransportSecurity

/// Certificates that change under a running process. The files are looked at before each connection here.
@Suite struct RotationTests {
    @Test func theServerShowsARenewedCertificateToNewConnections() async throws {
        try await TLSWorld.with { world in
            try world.issue(.authority, names: ["127.0.0.2"])
            let tls = try world.server()
            try await withServer(tls) { port in
                #expect(try await refusal(world.client(), "https://127.0.0.1:\(port)").contains("other names"))
                try world.issue(.authority, names: ["127.0.0.1"])
                #expect(try await call(world.client(), "https://127.0.0.1:\(port)").isSecure)
            }
        }
    }

    @Test func anOpenConnectionStaysAsItIs() async throws {
        try await TLSWorld.with { world in
            try await withServer(try world.server()) { port in
                let client = try world.client()
                #expect(try await call(client, "https://127.0.0.1:\(port)").isSecure)
                try world.issue(.authority, names: ["127.0.0.2"])
                #expect(try await call(client, "https://127.0.0.1:\(port)").isSecure)
                #expect(try await refusal(world.client(), "https://127.0.0.1:\(port)").contains("other names"))
            }
        }
    }

    @Test func theClientShowsARenewedCertificate() async throws {
        try await TLSWorld.with { world in
            let client = try world.client("api")
            try await withServer(try world.server()) { port in
                #expect(try await call(client, "https://127.0.0.1:\(port)").peer == ProcessIdentity.api.uri)
                try world.issue(.worker, as: "api", names: [])
                #expect(try await call(client, "https://127.0.0.1:\(port)").peer == ProcessIdentity.worker.uri)
            }
        }
    }

    @Test func theAuthorityIsReplacedWithoutARestartOfAnybody() async throws {
        try await TLSWorld.with { world in
            let client = try world.client("api")
            try await withServer(try world.server()) { port in
                let endpoint = "https://127.0.0.1:\(port)"
                #expect(try await call(client, endpoint).peer == ProcessIdentity.api.uri)
                try world.ours.makeAuthority(replacing: true, now: Date())
                #expect(try await call(client, endpoint).peer == ProcessIdentity.api.uri)
                #expect(try world.ours.renew(now: Date()) == ["api", "authority", "worker"])
                #expect(try await call(client, endpoint).peer == ProcessIdentity.api.uri)
                // The former authority goes.
                let bundle = try String(contentsOfFile: world.ours.authority, encoding: .utf8)
                let end = try #require(bundle.firstRange(of: "-----END CERTIFICATE-----"))
                try (String(bundle[..<end.upperBound]) + "\n").write(
                    toFile: world.ours.authority, atomically: true, encoding: .utf8)
                #expect(try await call(client, endpoint).peer == ProcessIdentity.api.uri)
                #expect(try await call(world.client("worker"), endpoint).peer == ProcessIdentity.worker.uri)
            }
        }
    }

    @Test func filesThatCanNotBeUsedLeaveTheFormerOnesInPlace() async throws {
        try await TLSWorld.with { world in
            try await withServer(try world.server()) { port in
                let key = try String(contentsOfFile: world.ours.key("authority"), encoding: .utf8)
                for broken in ["", "no key", try String(contentsOfFile: world.ours.key("api"), encoding: .utf8)] {
                    try broken.write(toFile: world.ours.key("authority"), atomically: false, encoding: .utf8)
                    #expect(try await call(world.client(), "https://127.0.0.1:\(port)").isSecure)
                }
                try key.write(toFile: world.ours.key("authority"), atomically: false, encoding: .utf8)
                #expect(try await call(world.client(), "https://127.0.0.1:\(port)").isSecure)
            }
        }
    }

    @Test func filesThatCanNotBeUsedAtTheStartAreNamed() async throws {
        try await TLSWorld.with { world in
            let missing = world.ours.certificate("missing")
            for files in [
                TLSFiles(certificate: missing, key: world.ours.key("api")),
                TLSFiles(certificate: world.ours.certificate("api"), key: world.ours.key("api"), authorities: missing),
            ] {
                do {
                    _ = try ServerTLS(files, logger: quiet)
                    Issue.record("taken: \(files)")
                } catch {
                    #expect("\(error)".contains(missing))
                }
            }
            #expect(throws: (any Error).self) {
                try ClientTLS(TLSFiles(certificate: world.ours.certificate("api")), logger: quiet)
            }
        }
    }
}
