extension PolicyDocument {
    /// A session policy without a statement: a limit that lets nothing through.
    package static let allowingNothing = PolicyDocument(kind: .session, statements: [])
}
