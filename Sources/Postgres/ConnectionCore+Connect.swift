import CLibpq
import Secrets

extension ConnectionCore {
    /// How soon the server notices that a client went away in the middle of its statement.
    private static let clientCheckIntervalMilliseconds = 1000
    /// `client_connection_check_interval` came with 14.
    private static let minimumServerVersion = 140_000

    /// Connects on the calling thread, within `connectTimeout`. Throws `.connectionFailed`, whose cause names host, port and
    /// user but never the password.
    static func connect(
        configuration: PostgresConfiguration, event: EventDescriptor, isInterrupted: @escaping () -> Bool
    ) throws -> ConnectionCore {
        let handle = try LibpqHandle(startingWith: try parameters(of: configuration))
        // Nothing was sent yet.
        if !configuration.allowsUnencrypted, let objection = ConnectionSecurity.objection(to: handle.options) {
            throw PostgresError(.configuration, message: objection)
        }
        let exchange = Exchange(
            handle: handle, event: event, deadline: .now + configuration.connectTimeout, isInterrupted: isInterrupted)
        var status = PGRES_POLLING_WRITING
        do {
            while status != PGRES_POLLING_OK {
                guard !handle.isBroken, status != PGRES_POLLING_FAILED else { throw WaitFailure.broken }
                try exchange.wait(reading: status == PGRES_POLLING_READING, writing: status == PGRES_POLLING_WRITING)
                status = handle.continueConnecting()
            }
        } catch let failure as WaitFailure {
            throw connectionError(failure, handle: handle)
        }
        guard handle.serverVersion >= minimumServerVersion, handle.becomeNonBlocking() else {
            throw PostgresError(.configuration, message: "The server is older than PostgreSQL 14.")
        }
        return ConnectionCore(handle: handle, configuration: configuration, event: event)
    }

    private static func connectionError(_ failure: WaitFailure, handle: LibpqHandle) -> PostgresError {
        switch failure {
        case .deadline: return PostgresError(.connectionFailed, message: "The server did not take the connection in time.")
        case .interrupted: return PostgresError(.poolClosed, message: "The pool was closed while a connection was made.")
        case .broken:
            let text = handle.errorText
            let state = sqlState(inConnectionFailure: text)
            let reason = state?.condition ?? ConnectionSecurity.explanation(of: text) ?? "the server cannot be reached"
            var error = PostgresError(.connectionFailed, message: "No connection could be made: \(reason).", cause: text)
            error.sqlState = state?.rawValue
            return error
        }
    }

    /// The SQLSTATE in libpq's verbose text `…FATAL:  28P01: password authentication failed…`.
    static func sqlState(inConnectionFailure text: String) -> SQLState? {
        text.firstMatch(of: #/:\ \ ([0-9A-Z]{5}):/#).map { SQLState(rawValue: String($0.output.1)) }
    }

    /// The connection string taken apart, with what this module insists on.
    static func parameters(of configuration: PostgresConfiguration) throws -> [(keyword: String, value: String)] {
        var parsed: [String: String] = [:]
        // libpq's complaint about a bad string may quote a part of it, a password perhaps: it is dropped unread.
        guard let options = PQconninfoParse(configuration.connection, nil) else {
            throw PostgresError(.configuration, message: "The connection string is not one that libpq understands.")
        }
        defer { PQconninfoFree(options) }
        var option = options
        while let keyword = option.pointee.keyword {
            if let value = option.pointee.val { parsed[String(cString: keyword)] = String(cString: value) }
            option += 1
        }
        if let password = configuration.password { parsed["password"] = password.revealed }
        if let database = configuration.database { parsed["dbname"] = database }
        parsed["application_name"] = configuration.applicationName
        parsed["client_encoding"] = "UTF8"
        // Probing for Kerberos costs a round trip, and a credential cache is no place for a service's identity.
        if parsed["gssencmode"] == nil { parsed["gssencmode"] = "disable" }
        let settings =
            [
                "statement_timeout=\(configuration.statementTimeout.pollMilliseconds)",
                "idle_in_transaction_session_timeout=\(configuration.idleTransactionTimeout.pollMilliseconds)",
                "client_connection_check_interval=\(clientCheckIntervalMilliseconds)",
                "TimeZone=UTC",
            ] + configuration.plannerSettings
        parsed["options"] = ([parsed["options"]].compactMap(\.self) + settings.map { "-c \($0)" }).joined(separator: " ")
        return parsed.map { ($0.key, $0.value) }
    }
}
