/// One question to the policies: may this subject do this to that, in these circumstances?
package struct AuthorizationRequest: Sendable {
    package var subject: PolicySubject
    /// Such as `kms:Decrypt`.
    package var action: String
    /// The ARN of what is acted on, or `*` where an action has no resource.
    package var resource: String
    package var context: ConditionContext

    package init(subject: PolicySubject, action: String, resource: String, context: ConditionContext) {
        self.subject = subject
        self.action = action
        self.resource = resource
        self.context = context
    }
}

/// A policy of a user or role with its name.
package struct AttachedPolicy: Sendable, Hashable {
    package let name: String
    package let document: PolicyDocument

    package init(name: String, document: PolicyDocument) {
        self.name = name
        self.document = document
    }
}

/// Everything on the subject's own side: what it is allowed and what limits that.
package struct SubjectPolicies: Sendable, Hashable {
    /// The policies of the user, or of the role whose session the subject is.
    package var identity: [AttachedPolicy]
    /// What the session was narrowed to when it was made; nil where it was not.
    package var session: PolicyDocument?
    /// The permissions boundary; nil where there is none.
    package var boundary: PolicyDocument?

    package init(identity: [AttachedPolicy] = [], session: PolicyDocument? = nil, boundary: PolicyDocument? = nil) {
        self.identity = identity
        self.session = session
        self.boundary = boundary
    }

    package static let none = SubjectPolicies()
}
