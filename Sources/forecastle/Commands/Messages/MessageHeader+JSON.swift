import AWSProtocol
import Envelope
import Foundation

extension MessageHeader {
    /// `{version, suite, messageId, encryptionContext, encryptedDataKeys}`
    var json: JSONObject {
        [
            "version": .int(Int64(version)), "suite": .string(suite.description),
            "messageId": .string(Hex.encode(messageID)), "encryptionContext": .stringMap(context),
            "encryptedDataKeys": .array(encryptedDataKeys.map { .object($0.json) }),
        ]
    }
}

extension EncryptedDataKey {
    /// `{providerId, providerInfo, keyArn?, keyName?, ciphertextBytes}`
    var json: JSONObject {
        var object: JSONObject = [
            "providerId": .string(providerID), "providerInfo": .string(Hex.encode(providerInfo)),
        ]
        object.append("keyArn", ifPresent: kmsKeyARN.map { .string($0) })
        object.append("keyName", ifPresent: rawKeyName.map { .string($0) })
        object["ciphertextBytes"] = .int(Int64(ciphertext.count))
        return object
    }

    /// Key name of a raw AES key: what its provider info begins with, before two lengths of 4 bytes and an IV of 12.
    var rawKeyName: String? {
        guard providerID != Self.kmsProviderID, providerInfo.count > Self.rawSuffixBytes,
            providerInfo.dropLast(12).suffix(8).elementsEqual([0, 0, 0, 128, 0, 0, 0, 12])
        else { return nil }
        return String(validating: providerInfo.dropLast(Self.rawSuffixBytes), as: UTF8.self)
    }

    private static let rawSuffixBytes = 4 + 4 + 12

    /// For people: `aws-kms arn:…`, `namespace/name`.
    var title: String {
        let provider = TerminalText.printable(providerID)
        if let kmsKeyARN { return "\(provider) \(TerminalText.printable(kmsKeyARN))" }
        if let rawKeyName { return "\(provider) \(TerminalText.printable(rawKeyName))" }
        return "\(provider) \(Hex.encode(providerInfo))"
    }
}
