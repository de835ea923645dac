import AWSProtocol
import AuthorityAPI
import FoundationEssentials
import PostgresTesting
import Testing

@Suite(.enabled(if: TestDatabase.isAvailable)) struct AuthorityHandlerTests {
    @Test func unknownTargetsAreRefusedInJSON() async throws {
        try await AuthorityHouse.with { house in
            for target in ["Nobody.Knows", "Decrypt", "ForecastleAuthority.Other", ""] {
                let answer = try await house.json(target, [:], as: house.api, service: "forecast")
                #expect(answer.code == "UnknownOperationException" && answer.status == 400, "\(target)")
            }
        }
    }

    @Test func whatWasSignedIsWhatIsAnswered() async throws {
        try await AuthorityHouse.with { house in
            let retargeted = try await house.json("Nobody.Knows", [:], as: house.api, service: "forecast") { request in
                request.headers = request.headers.map { $0.0 == "X-Amz-Target" ? ($0.0, "ForecastleAuthority.Authorize") : $0 }
            }
            #expect(retargeted.code == "InvalidSignatureException")
            let unsigned = try await house.json("ForecastleAuthority.Authorize", [:], as: house.api, service: "forecast") {
                $0.headers.append(("X-Amz-Extra", "1"))
            }
            #expect(unsigned.code == "InvalidSignatureException")
            let twice = try await house.json("ForecastleAuthority.Authorize", [:], as: house.api, service: "forecast") {
                $0.headers.append(("X-Amz-Target", "ForecastleAuthority.Authorize"))
            }
            #expect(twice.status == 400)
        }
    }

    @Test func signaturesAreReadBeforeBodies() async throws {
        try await AuthorityHouse.with { house in
            let forged = try await house.json("ForecastleAuthority.Authorize", [:], as: house.api, service: "forecast") {
                $0.body = Array(#"{"a":1,"a":2}"#.utf8)
            }
            #expect(forged.code == "InvalidSignatureException")
            var request = AWSRequest(
                headers: [("Host", "127.0.0.1"), ("X-Amz-Target", "ForecastleAuthority.Authorize")],
                body: Array(#"{"a":1,"a":2}"#.utf8),
                receivedAt: Date())
            try SigV4Signer(credentials: house.api, region: AuthorityHouse.region, service: "forecast").sign(&request, at: Date())
            #expect(await Answer(house.handler.respond(to: request, requestID: "r")).code == "SerializationException")
        }
    }

    @Test func presignedCallsAreForTheQueryServicesOnly() async throws {
        try await AuthorityHouse.with { house in
            var request = AWSRequest(
                headers: [("Host", "127.0.0.1"), ("X-Amz-Target", "ForecastleAuthority.Authorize")], receivedAt: Date())
            try SigV4Signer(credentials: house.api, region: AuthorityHouse.region, service: "forecast")
                .presign(&request, at: Date(), seconds: 60)
            #expect(
                await Answer(house.handler.respond(to: request, requestID: "r")).code == "MissingAuthenticationTokenException")
        }
    }
}
