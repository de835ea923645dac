import AWSProtocol
import Foundation
import Postgres
import Verification

/// Case 44.
struct HostileSignatures: ChaosCase {
    let number = 44
    let title = "signatures that are not"
    let injects = "requests to KMS with one part of their signature wrong, a replayed one, a clock that is off"
    let expects = "each refused under its code, none in the trail, a replay without second effect"
    let reach = ChaosReach.cluster

    private struct Alteration: Sendable {
        var what: String
        var code: String
        var status = 400
        var change: @Sendable (inout WireRequest) -> Void
    }

    private static let (invalid, incomplete) = ("InvalidSignatureException", "IncompleteSignatureException")
    private static let (nobody, unknown) = ("UnrecognizedClientException", "UnknownOperationException")

    /// Done before signing: the signature itself is right.
    private static let before: [Alteration] = [
        .init(what: "the secret is wrong", code: invalid) { $0.secret = String(repeating: "x", count: 40) },
        .init(what: "the access key is nobody's", code: nobody) { $0.accessKeyID = "AKIA" + String(repeating: "A", count: 16) },
        .init(what: "an access key id of ten thousand characters", code: incomplete) {
            $0.accessKeyID = String(repeating: "A", count: 10_000)
        },
        .init(what: "a token that belongs to nobody", code: nobody) { $0.token = "token" },
        .init(what: "signed five minutes and more ago", code: invalid) { $0.skew = -330 },
        .init(what: "signed for five minutes and more ahead", code: invalid) { $0.skew = 330 },
        .init(what: "another region", code: invalid) { $0.region = "eu-west-1" },
        .init(what: "another service", code: invalid) { $0.service = "sts" },
        .init(what: "the body is left unsigned", code: invalid) {
            $0.headers.append(("X-Amz-Content-SHA256", "UNSIGNED-PAYLOAD"))
        },
        .init(what: "a chunked signature", code: invalid) {
            $0.headers.append(("X-Amz-Content-SHA256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"))
        },
    ]

    /// Done after signing.
    private static let after: [Alteration] = [
        .init(what: "the body is altered", code: invalid) { $0.body = Array(#"{"Limit": 2}"#.utf8) },
        .init(what: "the query is altered", code: invalid) { $0.query = "a=b" },
        .init(what: "the method is altered", code: unknown) { $0.method = "PUT" },
        .init(what: "a path with dots", code: unknown) { $0.path = "/a/../" },
        .init(what: "a path encoded twice", code: unknown) { $0.path = "/%252e%252e/" },
        .init(what: "the target is altered", code: invalid) {
            $0.change("X-Amz-Target") { _ in "TrentService.ListAliases" }
        },
        .init(what: "the target is not signed", code: invalid) {
            $0.change("Authorization") { $0.replacing(";x-amz-target", with: "") }
        },
        .init(what: "the host is altered", code: invalid) { $0.change("Host") { "x" + $0 } },
        .init(what: "a header more", code: invalid) {
            $0.headers.append(("X-Amz-Source-Arn", "arn:aws:forecast:us-west-2:1:dataset/x"))
        },
        .init(what: "the target twice", code: unknown) { $0.headers.append(("X-Amz-Target", "TrentService.ListKeys")) },
        .init(what: "the content type twice", code: incomplete) {
            $0.headers.append(("Content-Type", "application/x-amz-json-1.1"))
        },
        .init(what: "the date twice", code: incomplete) { $0.headers.append(("X-Amz-Date", "20200101T000000Z")) },
        .init(what: "another day", code: invalid) {
            let day = String($0.header("X-Amz-Date").prefix(8))
            $0.change("Authorization") { $0.replacing("/\(day)/", with: "/20200101/") }
        },
        .init(what: "two signatures", code: incomplete) {
            $0.headers.append(("Authorization", $0.header("Authorization")))
        },
        .init(what: "header and query", code: incomplete) {
            $0.query = "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=00"
        },
        .init(what: "the signature in capitals", code: invalid) {
            $0.change("Authorization") { text in
                let parts = text.components(separatedBy: "Signature=")
                return parts[0] + "Signature=" + parts[1].uppercased()
            }
        },
        .init(what: "the signature cut", code: invalid) { $0.change("Authorization") { String($0.dropLast()) } },
        .init(what: "another algorithm", code: incomplete) {
            $0.change("Authorization") { $0.replacing("SHA256 ", with: "SHA512 ") }
        },
        .init(what: "no signature", code: "MissingAuthenticationTokenException", status: 403) { $0.remove("Authorization") },
    ]

    func run(_ trial: ChaosTrial) async throws {
        let load = trial.load
        let variables = AWSEnvironment(try trial.cluster.environment())
        let endpoint = try WireEndpoint(load.client.variable("AWS_ENDPOINT_URL_KMS"))
        let access = try await load.prepare()
        func request(_ body: String = #"{"Limit": 1}"#, _ operation: String = "ListKeys") throws -> WireRequest {
            try WireRequest(endpoint, variables, target: "TrentService.\(operation)", body: Array(body.utf8))
        }
        func expect(_ what: String, _ answer: WireAnswer, _ status: Int, _ code: String) throws {
            try trial.expect(
                (answer.status, answer.code) == (status, code),
                "\(what): \(answer.status) \(answer.code) instead of \(status) \(code)")
        }
        for skew in [0, -270, 270] {
            var good = try request()
            good.skew = skew
            try good.sign()
            try expect("a good request, \(skew) s off", try await endpoint.exchange(good.bytes()), 200, "")
        }
        let recorded = try await records(trial)
        for alteration in trial.shuffled(Self.before) {
            var bad = try request()
            alteration.change(&bad)
            try bad.sign()
            try expect(alteration.what, try await endpoint.exchange(bad.bytes()), alteration.status, alteration.code)
        }
        for alteration in trial.shuffled(Self.after) {
            var bad = try request()
            try bad.sign()
            alteration.change(&bad)
            try expect(alteration.what, try await endpoint.exchange(bad.bytes()), alteration.status, alteration.code)
        }
        trial.injected("\(Self.before.count + Self.after.count) requests, each wrong in one part")
        let now = try await records(trial)
        try trial.expect(now == recorded, "\(now - recorded) refused requests are in the trail as calls")
        // SigV4 has no nonce: the same bytes are the same call, and a named call is done once.
        var named = try request(
            (["KeyId": .string(access.key), "GranteePrincipal": .string(access.role), "Operations": ["Decrypt"], "Name": "once"]
                as JSONValue).serializedString, "CreateGrant")
        try named.sign()
        var (grants, tokens) = (Set<String>(), Set<String>())
        for _ in 1...3 {
            let answer = try await endpoint.exchange(named.bytes())
            try expect("a named grant", answer, 200, "")
            let body = try JSONObject.parseBody(answer.body)
            grants.insert(body["GrantId"]?.stringValue ?? "")
            tokens.insert(body["GrantToken"]?.stringValue ?? "")
        }
        // Nothing is answered from storage: tokens differ.
        try trial.expect(grants.count == 1 && tokens.count == 3, "a replay made \(grants.count) grants, \(tokens.count) tokens")
        trial.injected("one signed CreateGrant sent three times")
        trial.saw("one grant, three answers")
        _ = await load.submit(access, file: "small.csv")
        try await trial.waitForSuccess()
    }

    /// Nobody is known to have made a request whose signature is wrong.
    private func records(_ trial: ChaosTrial) async throws -> Int {
        try await trial.cluster.authority.query(
            "SELECT count(*) AS n FROM audit_records WHERE event_name IN ('ListKeys', 'ListAliases')"
        ).first?.get("n") ?? 0
    }
}

/// Case 45.
struct HostileBodies: ChaosCase {
    let number = 45
    let title = "bodies that nobody's client sends"
    let injects =
        "too long, too deep, too many entries, doubled keys, numbers and texts that are none, bombs, lengths of two readings"
    let expects = "4xx at once, the same for each reader; memory stays flat"
    let reach = ChaosReach.cluster
    private static let rounds = 5
    private static let growthBytesMax = 96 << 20
    private static let malformed = "SerializationException"

    private static var bodies: [(what: String, body: [UInt8], status: Int, code: String)] {
        func padded(_ size: Int) -> String {
            let body = #"{"Limit": 1}"#
            return body + String(repeating: " ", count: size - body.utf8.count)
        }
        func entries(_ count: Int) -> String { "{" + (0..<count).map { "\"k\($0)\":1" }.joined(separator: ",") + "}" }
        func deep(_ count: Int) -> String {
            String(repeating: #"{"a":"#, count: count) + "{}" + String(repeating: "}", count: count)
        }
        let texts: [(String, String, Int, String)] = [
            ("a mebibyte less one", padded((1 << 20) - 1), 200, ""), ("a mebibyte", padded(1 << 20), 200, ""),
            ("a mebibyte and one", padded((1 << 20) + 1), 413, "RequestEntityTooLarge"),
            (
                "ten thousand arrays", String(repeating: "[", count: 10_000) + String(repeating: "]", count: 10_000), 400,
                malformed
            ),
            ("thirty-two deep", deep(31), 200, ""), ("thirty-three deep", deep(32), 400, malformed),
            ("a thousand entries", entries(1000), 200, ""), ("a thousand and one", entries(1001), 400, malformed),
            ("a doubled key", #"{"Limit": 1, "Limit": 2}"#, 400, malformed),
            ("a doubled key, one escaped", #"{"Limit": 1, "\u004cimit": 2}"#, 400, malformed),
            ("NaN", #"{"Limit": NaN}"#, 400, malformed), ("a number beyond all", #"{"Limit": 1e999}"#, 400, malformed),
            ("a lone surrogate", #"{"Marker": "\ud800"}"#, 400, malformed),
            ("an escaped NUL", #"{"Marker": "\u0000"}"#, 400, malformed),
            ("NUL", "{\"Marker\": \"\0\"}", 400, malformed), ("text after the value", #"{"Limit": 1} {}"#, 400, malformed),
        ]
        let marker = Array(#"{"Marker": ""#.utf8)
        return texts.map { ($0.0, Array($0.1.utf8), $0.2, $0.3) } + [
            ("invalid UTF-8", marker + [0xFF] + Array("\"}".utf8), 400, malformed),
            ("an overlong NUL", marker + [0xC0, 0x80] + Array("\"}".utf8), 400, malformed),
        ]
    }

    private static let framings: [[(String, String)]] = [
        [("Content-Length", "12"), ("Transfer-Encoding", "chunked")],
        [("Transfer-Encoding", "chunked"), ("Content-Length", "12")],
        [("Content-Length", "12"), ("Content-Length", "12")], [("Content-Length", "12"), ("Content-Length", "0")],
        [("Content-Length", "+12")], [("Transfer-Encoding", "gzip, chunked")], [("Transfer-Encoding", "identity")],
    ]

    func run(_ trial: ChaosTrial) async throws {
        let load = trial.load
        let variables = AWSEnvironment(try trial.cluster.environment())
        let endpoint = try WireEndpoint(load.client.variable("AWS_ENDPOINT_URL_KMS"))
        let access = try await load.prepare()
        func send(_ body: [UInt8], _ change: (inout WireRequest) -> Void = { _ in }) async throws -> WireAnswer {
            var request = try WireRequest(endpoint, variables, target: "TrentService.ListKeys", body: body)
            try request.sign()
            change(&request)
            return try await endpoint.exchange(request.bytes())
        }
        let plain = Array(#"{"Limit": 1}"#.utf8)
        try trial.expect(try await send(plain).status == 200, "a good request is refused")
        guard let authority = trial.cluster.processes("authority").first, let before = ProcessMemory.residentBytes(of: authority)
        else { throw ChaosSkip(description: "the authority is no process of this machine: its memory cannot be read") }
        for _ in 0..<Self.rounds {
            for (what, body, status, code) in trial.shuffled(Self.bodies) {
                let answer = try await send(body)
                try trial.expect((answer.status, answer.code) == (status, code), "\(what): \(answer.status) \(answer.code)")
            }
        }
        trial.injected("\(Self.bodies.count) bodies, \(Self.rounds) times each")
        // Never unpacked: many mebibytes of zeroes in a few kilobytes.
        let bomb = try GzipFile.compress([UInt8](repeating: 0, count: 256 << 20))
        let answer = try await send(bomb) { $0.headers.append(("Content-Encoding", "gzip")) }
        try trial.expect((answer.status, answer.code) == (400, Self.malformed), "a bomb: \(answer.status) \(answer.code)")
        trial.injected("a bomb of 256 MiB in \(bomb.count >> 10) KiB")
        for framing in Self.framings {
            let answer = try await send(plain) { $0.framing = framing }
            try trial.expect(answer.status == 400, "\(framing): \(answer.status)")
        }
        trial.injected("\(Self.framings.count) lengths that two readers take differently")
        let flood = Array("POST / HTTP/1.1\r\nHost: h\r\n".utf8) + (0..<5000).flatMap { Array("X-\($0): v\r\n".utf8) }
        try trial.expect(try await endpoint.exchange(flood).status == 431, "a flood of headers is not told so")
        trial.injected("a flood of 5,000 headers")
        let growth = (ProcessMemory.residentBytes(of: authority) ?? Int.max) - before
        try trial.expect(growth < Self.growthBytesMax, "the authority grew by \(growth >> 20) MiB")
        trial.saw("the authority's memory changed by \(growth >> 10) KiB")
        _ = await load.submit(access, file: "small.csv")
        try await trial.waitForSuccess()
    }
}
