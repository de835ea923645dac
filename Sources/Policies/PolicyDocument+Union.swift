extension PolicyDocument {
    /// One document with the statements of all: what any of them allows or denies, it allows or denies. Of none, it allows nothing.
    package static func union(of documents: [PolicyDocument], kind: Kind) -> PolicyDocument {
        precondition(documents.allSatisfy { !$0.kind.hasPrincipals }, "Documents with principals are decided one by one.")
        return PolicyDocument(kind: kind, statements: documents.flatMap(\.statements))
    }
}
