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

/// A policy with the name it is known by: that of an inline policy, or the ARN of a managed one.
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
    /// The policies of the user with its groups', or of the role whose session the subject is.
    package var identity: [AttachedPolicy]
    /// What the session was narrowed to when it was made, an inline policy and managed ones: one limit together, which lets through
    /// what any of them allows. Empty where the session was not narrowed.
    package var session: [AttachedPolicy]
    /// The permissions boundary; nil where there is none.
    package var boundary: AttachedPolicy?

    package init(
        identity: [AttachedPolicy] = [], session: [AttachedPolicy] = [], boundary: AttachedPolicy? = nil
    ) {
        self.identity = identity
        self.session = session
        self.boundary = boundary
    }

    package static let none = SubjectPolicies()
}
