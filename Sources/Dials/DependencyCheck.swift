/// One thing that a process cannot work without, and how it is asked whether it is there.
package struct DependencyCheck: Sendable {
    /// Such as `postgres-jobs`: a name, no address.
    package let name: String
    /// Returns where it answered. What it throws is shown to whoever may look, so its description must be safe to print.
    package let ask: @Sendable () async throws -> Void

    package init(_ name: String, _ ask: @escaping @Sendable () async throws -> Void) {
        self.name = name
        self.ask = ask
    }
}
