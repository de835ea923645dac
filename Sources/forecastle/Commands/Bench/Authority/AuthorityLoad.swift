import AWSProtocol
import Foundation
import Glibc

/// An authority, ours or a peer's, with what the calls of the benchmark need: a key, a data key under it, a role.
struct AuthorityLoad: Sendable {
    /// As jobs have it.
    static let context: JSONObject = [
        "forecastle:account": .string(EmbeddedCluster.customer),
        "forecastle:incarnation": "5f0b1a52-6b5c-4c0c-9d55-0c2c9f0b7d11",
        "forecastle:resource": .string("arn:aws:forecast:us-west-2:\(EmbeddedCluster.customer):dataset/bench"),
    ]

    /// Of the cases' names, `gdk.ours.8`.
    let tool: String
    let title: String
    let generator: LoadGenerator
    let process: pid_t
    let database: pid_t?
    let key: String
    let dataKey: String
    let role: String

    enum Operation: String, CaseIterable {
        case generateDataKey = "gdk"
        case decrypt
        case grants
        case assumeRole = "assume"
        case bare

        var title: String {
            switch self {
            case .generateDataKey: "GenerateDataKey"
            case .decrypt: "Decrypt"
            case .grants: "CreateGrant, RetireGrant"
            case .assumeRole: "AssumeRole"
            case .bare: "bare HTTP answer"
            }
        }
    }

    /// Makes the key, where there is none yet, and one data key.
    static func prepare(
        tool: String, title: String, generator: LoadGenerator, process: pid_t, database: pid_t? = nil, key: String? = nil,
        role: String
    ) async throws -> AuthorityLoad {
        let key: String =
            if let key {
                key
            } else {
                try await keyARN(generator.call(.kms("CreateKey", [:])))
            }
        let made = try await generator.call(.kms("GenerateDataKey", generateDataKey(key)))
        return AuthorityLoad(
            tool: tool, title: title, generator: generator, process: process, database: database, key: key,
            dataKey: try made.member("CiphertextBlob"), role: role)
    }

    private static func keyARN(_ answer: LoadAnswer) throws -> String {
        guard let id = try? JSONValue.parse(answer.body)["KeyMetadata"]?["Arn"]?.stringValue else {
            throw CommandFailure("CreateKey's answer names no key: \(answer.shown)", MessageExit.inputOutput)
        }
        return id
    }

    private static func generateDataKey(_ key: String) -> JSONObject {
        ["KeyId": .string(key), "KeySpec": "AES_256", "EncryptionContext": .object(context)]
    }

    func script(_ operation: Operation) -> any LoadScript {
        switch operation {
        case .generateDataKey: RepeatedCall(call: .kms("GenerateDataKey", Self.generateDataKey(key)))
        case .decrypt:
            RepeatedCall(
                call: .kms("Decrypt", ["CiphertextBlob": .string(dataKey), "EncryptionContext": .object(Self.context)]))
        case .grants: GrantAndRetire(key: key, grantee: role)
        case .assumeRole:
            RepeatedCall(
                call: .sts([
                    ("Action", "AssumeRole"), ("Version", "2011-06-15"), ("RoleArn", role), ("RoleSessionName", "bench"),
                ]))
        case .bare: RepeatedCall(call: LoadCall(kind: .get(path: "/healthz")))
        }
    }

    func benchCase(_ operation: Operation, connections: Int, seconds: Double) -> BenchCase {
        BenchCase(
            name: "\(operation.rawValue).\(tool).\(connections)",
            title: "\(operation.title), \(title), \(Amount.count(connections, "connection"))"
        ) {
            let window = ProcessTimeWindow(process: process, database: database)
            let outcome = try await generator.run(
                connections: connections, seconds: seconds, script: { _ in script(operation) },
                onWindow: { window.mark(isStart: $0) })
            return BenchSample(
                wallSeconds: outcome.wallSeconds, cpuSeconds: window.seconds, bytes: 0,
                requests: outcome.figures(databaseCPUSeconds: window.databaseSeconds))
        }
    }
}
