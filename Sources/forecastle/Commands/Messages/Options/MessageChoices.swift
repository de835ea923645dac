import ArgumentParser
import Envelope

/// `--suite`: what a message is sealed with, by the number in its header.
enum SuiteChoice: String, CaseIterable, ExpressibleByArgument {
    case committed = "0478"
    case committedAndSigned = "0578"

    init?(argument: String) {
        let digits = argument.lowercased().hasPrefix("0x") ? argument.dropFirst(2) : argument[...]
        self.init(rawValue: String(digits))
    }

    var suite: AlgorithmSuite {
        switch self {
        case .committed: .committed
        case .committedAndSigned: .committedAndSigned
        }
    }
}

/// `--cipher`: the library that does the cryptography.
enum CipherChoice: String, CaseIterable, ExpressibleByArgument {
    case boringssl, openssl
}

/// `--commitment-policy`, by the names of the AWS Encryption SDKs and their command line.
enum CommitmentPolicyChoice: String, CaseIterable, ExpressibleByArgument {
    case requireDecrypt = "require-encrypt-require-decrypt"
    case allowDecrypt = "require-encrypt-allow-decrypt"

    /// The SDKs for Python and Java spell them in capitals.
    init?(argument: String) {
        self.init(rawValue: argument.lowercased().replacing("_", with: "-"))
    }

    var policy: MessagePolicy {
        switch self {
        case .requireDecrypt: .requireCommitment
        case .allowDecrypt: .allowUncommitted
        }
    }
}
