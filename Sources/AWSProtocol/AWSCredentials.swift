package import Secrets

/// An access key, with the token that goes with it when it is a session's. Prints without its secrets.
package struct AWSCredentials: Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package let accessKeyID: String
    package let secretAccessKey: Redacted<String>
    /// Only with temporary credentials.
    package let sessionToken: String?

    package init(accessKeyID: String, secretAccessKey: Redacted<String>, sessionToken: String? = nil) {
        self.accessKeyID = accessKeyID
        self.secretAccessKey = secretAccessKey
        self.sessionToken = sessionToken
    }

    package var description: String { "AWSCredentials(\(accessKeyID), <redacted>)" }
    package var debugDescription: String { description }
    package var customMirror: Mirror { Mirror(self, children: []) }
}
