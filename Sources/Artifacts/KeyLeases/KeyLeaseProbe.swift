import AWSProtocol
import Envelope
package import EnvelopeKMS

package enum KeyLeaseAnswer: Sendable, Equatable {
    case confirmed
    case denied(String)
    case unanswered(String)
}

/// A real data key of the artifact: what the renewal asks about.
package struct KeyLeaseSubject: Sendable, Equatable {
    package let ciphertext: [UInt8]
    package let keyARN: String
    package let context: [String: String]

    package init(ciphertext: [UInt8], keyARN: String, context: [String: String]) {
        self.ciphertext = ciphertext
        self.keyARN = keyARN
        self.context = context
    }
}

/// Asks whether a data key could still be decrypted. Cancelling ends the question.
package protocol KeyLeaseProbe: Sendable {
    func ask(_ subject: KeyLeaseSubject) async -> KeyLeaseAnswer
}

/// Decrypt with DryRun, as the grantee.
package struct KMSKeyLeaseProbe: KeyLeaseProbe {
    private let kms: any KMSDataKeys
    private let grantTokens: [String]

    package init(kms: any KMSDataKeys, grantTokens: [String]) {
        self.kms = kms
        self.grantTokens = grantTokens
    }

    package func ask(_ subject: KeyLeaseSubject) async -> KeyLeaseAnswer {
        do {
            try await kms.decryptDryRun(
                subject.ciphertext, keyARN: subject.keyARN, context: subject.context, grantTokens: grantTokens)
            return .confirmed
        } catch let error as AWSError {
            return KeyRefusal(error).map { .denied($0.text) } ?? .unanswered(error.code)
        } catch {
            return .unanswered("the connection failed")
        }
    }
}
