import AWSProtocol
import ArgumentParser
import Envelope
import Foundation
import Glibc

/// `forecastle inspect`: what a message says of itself, without any key.
struct Inspect: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show the header, keys and frames of an AWS Encryption SDK message.",
        discussion: "No key is used, so nothing that is shown is authenticated. \(MessageExit.discussion)")

    @Flag(help: "Print JSON.")
    var json = false

    @Argument(help: "File with the message, or - for standard input (of which only the header is read).")
    var input: String

    func run() async throws {
        try await CommandFailure.reporting {
            let channel = try MessageFileOptions.openInput(input)
            defer { if channel.descriptor != STDIN_FILENO { close(channel.descriptor) } }
            let inspection = try await MessageInspection.inspect(channel)
            print(json ? Self.json(inspection).serializedString : Self.table(inspection))
            if !inspection.problems.isEmpty { throw MessageExit.message }
        }
    }

    /// `{version, suite, messageId, encryptionContext, encryptedDataKeys [{providerId, providerInfo, ciphertextBytes}],
    /// frameBytes, headerBytes, headerDigest, messageBytes, frames, plaintextBytes, problems}`; hexadecimal where bytes.
    static func json(_ inspection: MessageInspection) -> JSONValue {
        var object = JSONObject()
        if let header = inspection.header {
            object["version"] = 2
            object["suite"] = .string(header.suite.description)
            object["messageId"] = .string(Hex.encode(header.messageID))
            object["encryptionContext"] = .stringMap(header.context)
            object["encryptedDataKeys"] = .array(
                header.encryptedDataKeys.map { key in
                    [
                        "providerId": .string(key.providerID), "providerInfo": .string(Hex.encode(key.providerInfo)),
                        "keyArn": .optional(key.kmsKeyARN), "ciphertextBytes": .int(Int64(key.ciphertext.count)),
                    ]
                })
            object["frameBytes"] = .int(Int64(header.frameBytes))
            object["headerBytes"] = .int(Int64(header.byteCount))
            object["headerDigest"] = .string(Hex.encode(header.digest))
        }
        object["messageBytes"] = inspection.messageBytes.map { .int(Int64($0)) } ?? .null
        object["frames"] = inspection.layout.map { .int(Int64($0.frameCount)) } ?? .null
        object["plaintextBytes"] = inspection.layout.map { .int(Int64($0.plaintextBytes)) } ?? .null
        object["problems"] = .strings(inspection.problems)
        return .object(object)
    }

    static func table(_ inspection: MessageInspection) -> String {
        var rows: [(String, String)] = []
        if let header = inspection.header {
            rows.append(("format", "AWS Encryption SDK message, version 2, suite \(header.suite)"))
            rows.append(("message id", Hex.encode(header.messageID)))
            for (key, value) in header.context.sorted(by: { $0.key < $1.key }) {
                rows.append(("context", "\(printable(key)) = \(printable(value))"))
            }
            for key in header.encryptedDataKeys {
                let name = key.kmsKeyARN.map(printable) ?? Hex.encode(key.providerInfo)
                rows.append(("data key", "\(printable(key.providerID)): \(name) (\(key.ciphertext.count) bytes)"))
            }
            rows.append(("header", "\(header.byteCount) bytes, SHA-256 \(Hex.encode(header.digest))"))
            rows.append(("frame length", "\(header.frameBytes) bytes"))
        }
        if let layout = inspection.layout {
            rows.append(("frames", "\(layout.frameCount), the final one of \(layout.finalFrameBytes) bytes"))
            rows.append(("plaintext", "\(layout.plaintextBytes) bytes, in a message of \(layout.messageBytes)"))
        } else if let bytes = inspection.messageBytes {
            rows.append(("message", "\(bytes) bytes"))
        }
        rows += inspection.problems.map { ("wrong", $0) }
        let width = rows.map(\.0.count).max() ?? 0
        return rows.map { $0.0.padding(toLength: width + 2, withPad: " ", startingAt: 0) + $0.1 }.joined(separator: "\n")
    }

    /// Text from an unauthenticated message must not steer the terminal.
    private static func printable(_ text: String) -> String {
        text.unicodeScalars.reduce(into: "") { result, scalar in
            result +=
                scalar.properties.generalCategory == .control || scalar.properties.generalCategory == .format
                ? "\u{FFFD}" : String(scalar)
        }
    }
}
