import CLibpq
import Glibc

/// One answer of the server. Owns libpq's result and frees it when the last row goes.
///
/// `@unchecked Sendable`: a PGresult is never changed after libpq hands it out (libpq, "Behavior in Threaded Programs"),
/// and this object's only mutable act is to free it in `deinit`.
final class PostgresResult: @unchecked Sendable {
    private let result: OpaquePointer

    init(takingOwnershipOf result: OpaquePointer) { self.result = result }

    deinit { PQclear(result) }

    var status: ExecStatusType { PQresultStatus(result) }
    var rowCount: Int { Int(PQntuples(result)) }
    var columnCount: Int { Int(PQnfields(result)) }

    var rows: [PostgresRow] { (0..<rowCount).map { PostgresRow(result: self, index: $0) } }

    /// Rows inserted, updated, deleted or selected; 0 for a statement that counts none.
    var affectedRows: Int { PQcmdTuples(result).flatMap { Int(String(cString: $0)) } ?? 0 }

    /// What the server says it did: `COMMIT`, `INSERT 0 1`…
    var commandTag: String { PQcmdStatus(result).map { String(cString: $0) } ?? "" }

    func column(named name: String) -> Int? {
        name.withCString { wanted in
            (0..<PQnfields(result)).first { strcmp(PQfname(result, $0), wanted) == 0 }.map(Int.init)
        }
    }

    func columnName(_ column: Int) -> String { PQfname(result, Int32(column)).map { String(cString: $0) } ?? "?" }

    /// The bytes of a value, nil for NULL. The pointer lives for the time of `body`.
    func withCell<R>(row: Int, column: Int, _ body: (PostgresCell?) throws -> R) rethrows -> R {
        let (row, column) = (Int32(row), Int32(column))
        defer { withExtendedLifetime(self) {} }
        if PQgetisnull(result, row, column) == 1 { return try body(nil) }
        let bytes = UnsafeRawBufferPointer(start: PQgetvalue(result, row, column), count: Int(PQgetlength(result, row, column)))
        return try body(PostgresCell(type: PostgresType(rawValue: PQftype(result, column)), bytes: bytes))
    }

    private func errorField(_ code: Character) -> String? {
        guard let ascii = code.asciiValue, let text = PQresultErrorField(result, Int32(ascii)) else { return nil }
        return String(cString: text)
    }

    /// FATAL or PANIC: the server ends the session.
    var endsSession: Bool { ["FATAL", "PANIC"].contains(errorField("V")) }

    /// The server's complaint as an error (fields: protocol manual, "Error and Notice Message Fields").
    var serverError: PostgresError {
        let state = errorField("C").map { SQLState(rawValue: $0) }
        var error = PostgresError(.server, message: "\(state?.condition ?? "the statement failed")".capitalizedSentence)
        if state == .queryCanceled { error.code = .timeout }
        error.sqlState = state?.rawValue
        error.constraintName = errorField("n")
        if state?.messageIsFreeOfValues == true { error.cause = errorField("M") }
        return error
    }
}

extension String {
    fileprivate var capitalizedSentence: String { prefix(1).uppercased() + dropFirst() + "." }
}
