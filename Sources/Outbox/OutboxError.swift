/// A message that the outbox does not take: a mistake of the caller, met before anything is written.
package struct OutboxError: Error, Sendable, Hashable, CustomStringConvertible {
    package struct Code: Hashable, Sendable {
        private enum Base { case topic, key, payload, configuration }
        private let base: Base
        private init(_ base: Base) { self.base = base }

        package static let topic = Code(.topic)
        package static let key = Code(.key)
        package static let payload = Code(.payload)
        package static let configuration = Code(.configuration)
    }

    package let code: Code
    package let message: String
    package var isRetriable: Bool { false }

    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    package var description: String { message }
}
