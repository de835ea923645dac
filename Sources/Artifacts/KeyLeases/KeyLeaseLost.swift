/// The right to hold a key ended. Everything under the lease was wiped; work stops.
package struct KeyLeaseLost: Error, Sendable, Equatable, CustomStringConvertible {
    package enum Reason: Sendable, Equatable {
        /// KMS refused: the grant was revoked or retired, the key disabled or deleted. Its code and what to make of it.
        case denied(String)
        /// KMS did not answer two renewals.
        case unreachable(String)
        /// This process was held up for longer than a confirmation is trusted.
        case stale
        /// The lease was released, or the process is stopping.
        case ended
    }

    /// One word for the reason, for metrics.
    static func word(_ reason: Reason) -> String {
        switch reason {
        case .denied: "denied"
        case .unreachable: "unreachable"
        case .stale: "stale"
        case .ended: "ended"
        }
    }

    static let words = ["denied", "unreachable", "stale", "ended"]

    /// ARN of the artifact's resource.
    package let resource: String
    package let keyARN: String
    /// Through which the key is reached; nil for an account's default key.
    package let roleARN: String?
    package let reason: Reason

    package init(resource: String, keyARN: String, roleARN: String? = nil, reason: Reason) {
        self.resource = resource
        self.keyARN = keyARN
        self.roleARN = roleARN
        self.reason = reason
    }

    /// For the job's `Message`: what happened, to which key of which artifact, and where it is to be mended.
    package var message: String {
        switch reason {
        case .denied(let text):
            "KMS does not allow the use of \(key): \(text)"
        case .unreachable(let text):
            "The use of \(key) could not be confirmed: KMS did not answer (\(text))."
        case .stale:
            "The use of \(key) could not be confirmed in time: the worker was held up."
        case .ended:
            "The use of \(key) ended with the work."
        }
    }

    private var key: String {
        "the key \(keyARN) of \(resource)" + (roleARN.map { " through the role \($0)" } ?? "")
    }

    package var description: String { message }

    /// A refusal is final. What the network or the machine did may pass.
    package var isRetriable: Bool {
        switch reason {
        case .denied: false
        case .unreachable, .stale, .ended: true
        }
    }
}
