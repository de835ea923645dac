package import Envelope

/// Names in the encryption context of Forecastle's messages. Customers write conditions on them: they are an interface.
package enum ArtifactContextKey {
    package static let account = "forecastle:account"
    package static let resource = "forecastle:resource"
    package static let incarnation = "forecastle:incarnation"
    package static let kind = "forecastle:kind"
    package static let job = "forecastle:job"
    package static let task = "forecastle:task"
    package static let ordinal = "forecastle:ordinal"
}

/// Whose artifact it is. The three pairs are the constraint of every grant on it.
package struct ArtifactScope: Sendable, Hashable {
    /// Account of the customer, twelve digits.
    package let account: String
    /// ARN of the resource.
    package let resource: String
    /// UUID of this life of the resource: names can be used again.
    package let incarnation: String

    /// Longest value that a grant's constraint takes, in characters.
    package static let maximumValueCharacters = 384

    /// Throws `invalidInput` for values that no grant could be constrained to.
    package init(account: String, resource: String, incarnation: String) throws(ArtifactError) {
        for (name, value) in [("account", account), ("resource", resource), ("incarnation", incarnation)] {
            guard !value.isEmpty, value.unicodeScalars.count <= Self.maximumValueCharacters else {
                throw .invalidInput("The \(name) must have 1 to \(Self.maximumValueCharacters) characters.")
            }
        }
        self.account = account
        self.resource = resource
        self.incarnation = incarnation
    }

    /// EncryptionContextSubset of the grants.
    package var grantConstraint: EncryptionContext {
        [
            ArtifactContextKey.account: account, ArtifactContextKey.resource: resource,
            ArtifactContextKey.incarnation: incarnation,
        ]
    }

    /// Whether a context holds the three pairs, byte by byte.
    package func owns(_ context: EncryptionContext) -> Bool {
        grantConstraint.allSatisfy { context[$0.key]?.utf8.elementsEqual($0.value.utf8) == true }
    }

    /// Context of a chunk.
    package func context(kind: ArtifactKind, attempt: ArtifactAttempt, ordinal: Int) -> EncryptionContext {
        var context = context(kind: kind, attempt: attempt)
        context[ArtifactContextKey.ordinal] = String(ordinal)
        return context
    }

    /// Context of a manifest or an export file, which has no ordinal.
    package func context(kind: ArtifactKind, attempt: ArtifactAttempt) -> EncryptionContext {
        var context = grantConstraint
        context[ArtifactContextKey.kind] = kind.rawValue
        context[ArtifactContextKey.job] = attempt.job
        context[ArtifactContextKey.task] = attempt.task
        return context
    }
}

/// What a message holds: a word of lower-case letters and dashes, visible to customers.
package struct ArtifactKind: RawRepresentable, Sendable, Hashable {
    package let rawValue: String

    package static let maximumBytes = 64

    package init?(rawValue: String) {
        guard (1...Self.maximumBytes).contains(rawValue.utf8.count),
            rawValue.utf8.allSatisfy({ (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0) || $0 == UInt8(ascii: "-") })
        else { return nil }
        self.rawValue = rawValue
    }

    private init(_ constant: String) { rawValue = constant }

    package static let manifest = ArtifactKind("manifest")
    /// Rows of an import, typed and partitioned.
    package static let observations = ArtifactKind("observations")
    package static let predictor = ArtifactKind("predictor")
    package static let backtest = ArtifactKind("backtest")
    package static let forecast = ArtifactKind("forecast")
    package static let export = ArtifactKind("export")
}

/// Which attempt at which task writes. The fence is in object names, so that attempts cannot meet.
package struct ArtifactAttempt: Sendable, Hashable {
    package let job: String
    package let task: String
    package let fence: Int64

    package init(job: String, task: String, fence: Int64) {
        self.job = job
        self.task = task
        self.fence = fence
    }
}
