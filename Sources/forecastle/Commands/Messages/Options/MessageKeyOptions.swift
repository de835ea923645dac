import AWSProtocol
import ArgumentParser
import Envelope

/// The keys that `seal` and `open` take, several of each kind, in the order of the command line.
struct MessageKeyOptions: ParsableArguments {
    @Option(
        name: .customLong("raw-key"),
        help: ArgumentHelp("File with a wrapping key: 32 bytes, or 64 hexadecimal digits. Repeatable.", valueName: "file"),
        completion: .file())
    var rawKeys: [String] = []

    @Option(
        name: .customLong("kms-key"),
        help: ArgumentHelp(
            "ARN of a key in AWS KMS. Repeatable.",
            discussion: """
                Credentials come from AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN, the endpoint from \
                AWS_ENDPOINT_URL_KMS, or else from the region in the key's ARN.
                """,
            valueName: "arn"))
    var kmsKeys: [String] = []

    @Option(
        name: .customLong("key-namespace"),
        help: ArgumentHelp(
            "Key namespace of a raw key, as the raw AES keyring of the AWS Encryption SDKs has it: one for all, or one each.",
            valueName: "name"))
    var namespaces: [String] = ["forecastle"]

    @Option(
        name: .customLong("key-name"),
        help: ArgumentHelp("Key name in that namespace: one for all raw keys, or one each.", valueName: "name"))
    var names: [String] = ["raw-key"]

    var isEmpty: Bool { rawKeys.isEmpty && kmsKeys.isEmpty }

    func validate() throws {
        for (option, values) in [("--key-namespace", namespaces), ("--key-name", names)]
        where values.count > 1 && values.count != rawKeys.count {
            throw ValidationError("\(option) is given once for all raw keys, or once for each --raw-key.")
        }
        for name in namespaces where name.hasPrefix(EncryptedDataKey.kmsProviderID) {
            throw ValidationError("--key-namespace \(name): names that begin with aws-kms belong to KMS.")
        }
        for arn in kmsKeys { _ = try Self.keyARN(arn) }
    }

    /// An alias could be pointed at another key between two calls, so that only keys are named.
    static func keyARN(_ text: String) throws -> ARN {
        guard let arn = ARN(text), arn.service == "kms", arn.resourceType == "key" else {
            throw ValidationError(
                "--kms-key takes the ARN of a key (arn:aws:kms:us-west-2:123456789012:key/…), not '\(text)'.")
        }
        return arn
    }

    enum Recipient: Equatable {
        case rawKey(file: String, namespace: String, name: String)
        case kmsKey(String)
    }

    /// Keys in the order in which they were named: the first of them makes the data key of a message.
    func recipients(arguments: [String] = Forecastle.flags.remaining) -> [Recipient] {
        var raw = rawKeys.indices.map { index in
            Recipient.rawKey(
                file: rawKeys[index], namespace: namespaces[namespaces.count == 1 ? 0 : index],
                name: names[names.count == 1 ? 0 : index])
        }[...]
        var kms = kmsKeys.map { Recipient.kmsKey($0) }[...]
        var ordered: [Recipient] = []
        // The parser keeps the order within an option and not between two.
        for argument in arguments.prefix(while: { $0 != "--" }) {
            switch argument.prefix(while: { $0 != "=" }) {
            case "--raw-key": raw.popFirst().map { ordered.append($0) }
            case "--kms-key": kms.popFirst().map { ordered.append($0) }
            default: break
            }
        }
        return ordered + raw + kms
    }
}
