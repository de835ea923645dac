import FoundationEssentials

/// Where the first broker is. Asked anew whenever a client is built and about every second: the embedded broker has
/// another address after each start, and its clients are rebuilt when the answer changes.
package struct KafkaBootstrap: Sendable {
    /// `host:port`, several with commas.
    package let resolve: @Sendable () throws -> String

    package init(_ resolve: @escaping @Sendable () throws -> String) { self.resolve = resolve }

    package static func servers(_ list: String) -> KafkaBootstrap { KafkaBootstrap { list } }

    /// A file whose first line is the address, as `forecastle-broker` writes it. A missing one is `.connection`: the
    /// client waits for it.
    package static func file(_ path: String) -> KafkaBootstrap {
        KafkaBootstrap {
            guard let bytes = FileManager.default.contents(atPath: path),
                let line = bytes.prefix(fileBytes).split(separator: UInt8(ascii: "\n")).first
            else { throw KafkaError(.connection, "the broker has not said its address yet") }
            return String(decoding: line, as: UTF8.self)
        }
    }

    private static let fileBytes = 4096
}
