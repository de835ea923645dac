import CLibpq
import Glibc

/// Owns one `PGconn` and frees it in `deinit`. Thin: each method is one libpq call (or one that belongs to it).
///
/// Confined to the thread of its connection; only `deinit` may run elsewhere, when nobody else is left.
final class LibpqHandle {
    private let connection: OpaquePointer

    /// Begins to connect. `parameters` are libpq keywords and values; nothing is expanded from them.
    init(startingWith parameters: [(keyword: String, value: String)]) throws {
        let keywords = parameters.map { strdup($0.keyword) } + [nil]
        let values = parameters.map { strdup($0.value) } + [nil]
        defer {
            keywords.forEach { free($0) }
            // A password may be among them.
            for case let value? in values {
                explicit_bzero(value, strlen(value))
                free(value)
            }
        }
        let started = PQconnectStartParams(keywords.map { UnsafePointer($0) }, values.map { UnsafePointer($0) }, 0)
        guard let started else {
            throw PostgresError(.connectionFailed, message: "There is no memory for a connection.")
        }
        connection = started
        // Verbose, because only the text of a failed connection attempt carries the SQLSTATE.
        PQsetErrorVerbosity(connection, PQERRORS_VERBOSE)
        // Notices may quote values, and libpq would print them to stderr.
        PQsetNoticeProcessor(connection, ignoreNotice, nil)
    }

    deinit { PQfinish(connection) }

    var socket: Int32 { PQsocket(connection) }
    var isBroken: Bool { PQstatus(connection) == CONNECTION_BAD }
    var isIdle: Bool { PQtransactionStatus(connection) == PQTRANS_IDLE }
    var isInTransaction: Bool { [PQTRANS_INTRANS, PQTRANS_INERROR].contains(PQtransactionStatus(connection)) }
    var serverVersion: Int { Int(PQserverVersion(connection)) }
    var errorText: String { PQerrorMessage(connection).map { String(cString: $0) } ?? "" }

    /// Options in effect, with what the environment and service files add. Passwords are among them.
    var options: [String: String] {
        guard let first = PQconninfo(connection) else { return [:] }
        defer { PQconninfoFree(first) }
        var found: [String: String] = [:]
        var option = first
        while let keyword = option.pointee.keyword {
            if let value = option.pointee.val { found[String(cString: keyword)] = String(cString: value) }
            option += 1
        }
        return found
    }

    func continueConnecting() -> PostgresPollingStatusType { PQconnectPoll(connection) }

    func becomeNonBlocking() -> Bool { PQsetnonblocking(connection, 1) == 0 }

    /// Takes what the socket holds. False: the connection is gone.
    func consumeInput() -> Bool { PQconsumeInput(connection) == 1 }
    var mustWaitForInput: Bool { PQisBusy(connection) == 1 }

    /// Sends what is buffered: true when all is out, false when the socket is full, nil when the connection is gone.
    func flush() -> Bool? {
        switch PQflush(connection) {
        case 0: true
        case 1: false
        default: nil
        }
    }

    func nextResult() -> PostgresResult? { PQgetResult(connection).map { PostgresResult(takingOwnershipOf: $0) } }

    /// Simple protocol: several statements in one text, no parameters.
    func send(script: String) -> Bool { PQsendQuery(connection, script) == 1 }

    func send(sql: String, _ parameters: EncodedParameters) -> Bool {
        parameters.withPointers { values in
            PQsendQueryParams(
                connection, sql, Int32(parameters.count), parameters.types, values, parameters.lengths, parameters.formats,
                binaryFormat)
        } == 1
    }

    func sendPrepare(name: String, sql: String, types: [Oid]) -> Bool {
        PQsendPrepare(connection, name, sql, Int32(types.count), types) == 1
    }

    func send(prepared name: String, _ parameters: EncodedParameters) -> Bool {
        parameters.withPointers { values in
            PQsendQueryPrepared(
                connection, name, Int32(parameters.count), values, parameters.lengths, parameters.formats, binaryFormat)
        } == 1
    }

    func enterPipeline() -> Bool { PQenterPipelineMode(connection) == 1 }
    func exitPipeline() -> Bool { PQexitPipelineMode(connection) == 1 }
    func sendSync() -> Bool { PQpipelineSync(connection) == 1 }

    func nextNotification() -> PostgresNotification? {
        guard let notification = PQnotifies(connection) else { return nil }
        defer { PQfreemem(notification) }
        return PostgresNotification(
            channel: String(cString: notification.pointee.relname), payload: String(cString: notification.pointee.extra),
            processID: notification.pointee.be_pid)
    }
}

private let binaryFormat: Int32 = 1

private func ignoreNotice(_: UnsafeMutableRawPointer?, _: UnsafePointer<CChar>?) {}
