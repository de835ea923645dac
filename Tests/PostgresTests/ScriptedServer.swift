import Foundation
import Glibc
import Postgres
import PostgresTesting

/// Speaks just enough of PostgreSQL's protocol (version 3) to greet one client. To anything else it says nothing, or hangs up
/// at COMMIT.
final class ScriptedServer: Sendable {
    private let listener: SilentServer
    private let hangsUpAtCommit: Bool

    init(hangsUpAtCommit: Bool = false) throws {
        listener = try SilentServer()
        self.hangsUpAtCommit = hangsUpAtCommit
        // A thread of its own: blocking one of the shared pool's would delay every other test.
        Thread.detachNewThread { [listener] in Self.serve(listener, hangsUpAtCommit) }
    }

    func pool(statementTimeout: Duration) -> PostgresPool {
        var configuration = listener.configuration
        configuration.statementTimeout = statementTimeout
        configuration.connectTimeout = .seconds(60)
        configuration.acquireTimeout = .seconds(60)
        return PostgresPool(configuration: configuration, logger: TestDatabase.logger)
    }

    private static func serve(_ listener: SilentServer, _ hangsUpAtCommit: Bool) {
        let client = accept(listener.descriptor, nil, nil)
        guard client >= 0 else { return }
        defer { close(client) }
        func read(_ count: Int) -> [UInt8]? {
            var bytes = [UInt8](repeating: 0, count: count)
            return recv(client, &bytes, count, Int32(MSG_WAITALL)) == count ? bytes : nil
        }
        func length() -> Int? { read(4).map { $0.reduce(0) { $0 << 8 | Int($1) } - 4 } }
        func say(_ type: Character, _ body: [UInt8]) {
            var message = [type.asciiValue ?? 0]
            withUnsafeBytes(of: UInt32(body.count + 4).bigEndian) { message += $0 }
            message += body
            _ = send(client, message, message.count, Int32(MSG_NOSIGNAL))
        }
        guard let startup = length(), read(startup) != nil else { return }
        say("R", [0, 0, 0, 0])
        say("S", Array("server_version\0".utf8) + Array("15.0\0".utf8))
        say("Z", Array("I".utf8))
        while read(1) != nil, let count = length(), let body = read(count) {
            if hangsUpAtCommit, String(decoding: body, as: UTF8.self).contains("COMMIT") { return }
        }
    }
}
