/// The right to hold a key ended. Everything under the lease was wiped; work stops.
package struct KeyLeaseLost: Error, Sendable, Equatable, CustomStringConvertible {
    package enum Reason: Sendable, Equatable {
        /// KMS refused: the grant was revoked or retired, the key disabled or deleted. The text is KMS's.
        case denied(String)
        /// KMS did not answer two renewals.
        case unreachable(String)
        /// This process was held up for longer than a confirmation is trusted.
        case stale
        /// The lease was released, or the process is stopping.
        case ended
    }

    /// ARN of the artifact's resource.
    package let resource: String
    package let keyARN: String
    package let reason: Reason

    package init(resource: String, keyARN: String, reason: Reason) {
        self.resource = resource
        self.keyARN = keyARN
        self.reason = reason
    }

    /// For the job's `Message`: what happened, to which key, and whose it is to mend.
    package var message: String {
        switch reason {
        case .denied(let text):
            "Access to the key \(keyARN) of \(resource) was withdrawn while the job ran: \(text)"
        case .unreachable(let text):
            "The key \(keyARN) of \(resource) could not be confirmed: KMS did not answer (\(text))."
        case .stale:
            "The key \(keyARN) of \(resource) could not be confirmed in time: the worker was held up."
        case .ended:
            "The key \(keyARN) of \(resource) is no longer held: the work ended."
        }
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
