package import Policies
import Synchronization

/// Parsed policies by their text. Parsing is a pure function, so an entry can never be out of date: the text comes from the
/// database each time.
package final class PolicyCache: Sendable {
    /// Documents kept; one more drops all, which costs parsing again and nothing else.
    package static let maximumDocuments = 1024

    private struct Key: Hashable {
        let kind: PolicyDocument.Kind
        let text: [UInt8]
    }

    private let documents = Mutex<[Key: PolicyDocument]>([:])

    package init() {}

    package func document(_ text: String, kind: PolicyDocument.Kind) throws(PolicyError) -> PolicyDocument {
        let key = Key(kind: kind, text: Array(text.utf8))
        if let known = documents.withLock({ $0[key] }) { return known }
        let parsed = try PolicyDocument.parse(text, kind: kind)
        documents.withLock { documents in
            if documents.count >= Self.maximumDocuments { documents.removeAll() }
            documents[key] = parsed
        }
        return parsed
    }
}
