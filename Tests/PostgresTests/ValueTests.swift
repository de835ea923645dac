import FoundationEssentials
import Postgres
import PostgresTesting
import Testing

/// Values on their way to the server and back.
@Suite(.enabled(if: TestDatabase.isAvailable))
struct ValueTests {
    private enum Colour: String, PostgresEncodable, PostgresDecodable { case red, green }
    private struct JobID: RawRepresentable, PostgresEncodable, PostgresDecodable, Equatable { var rawValue: UUID }

    private func roundTrip<T: PostgresEncodable & PostgresDecodable & Equatable>(
        _ values: [T], as type: String, on pool: PostgresPool, sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        for value in values {
            let row = try await pool.query("SELECT \(value)::\(raw: type) AS v, \(nil as T?)::\(raw: type) AS n")[0]
            #expect(try row.get("v", as: T.self) == value, sourceLocation: sourceLocation)
            #expect(try row.get("v", as: T?.self) == value, sourceLocation: sourceLocation)
            #expect(try row.get("n", as: T?.self) == nil, sourceLocation: sourceLocation)
        }
    }

    @Test func scalarsComeBackAsTheyWent() async throws {
        try await TestDatabase.with(migrations: nil) { pool in
            try await roundTrip([0, 1, -1, .max, .min], as: "int8", on: pool)
            try await roundTrip([Int64.max, .min], as: "int8", on: pool)
            try await roundTrip([Int32.max, .min, 0], as: "int4", on: pool)
            try await roundTrip([true, false], as: "bool", on: pool)
            try await roundTrip([0.0, -1.5, .pi, .infinity, .leastNonzeroMagnitude], as: "float8", on: pool)
            try await roundTrip(["", "a", "Ünïcødé 🏰", "quote ' \" \\ ; --", "line\nline"], as: "text", on: pool)
            try await roundTrip([UUID(), UUID()], as: "uuid", on: pool)
            try await roundTrip([[], [0], [UInt8](0...255)], as: "bytea", on: pool)
            try await roundTrip([Duration.zero, .seconds(90), .microseconds(-7)], as: "interval", on: pool)
            try await roundTrip([Colour.red, .green], as: "text", on: pool)
            try await roundTrip([JobID(rawValue: UUID())], as: "uuid", on: pool)
            try await roundTrip([PostgresJSON(text: #"{"a": [1, null]}"#)], as: "jsonb", on: pool)
            try await roundTrip([PostgresJSON(text: #"{"a": 1}"#)], as: "json", on: pool)
        }
    }

    @Test func datesKeepMicroseconds() async throws {
        try await TestDatabase.with(migrations: nil) { pool in
            for (date, text) in [
                (Date(timeIntervalSince1970: 0), "1970-01-01 00:00:00+00"),
                (Date(timeIntervalSince1970: 1_785_542_400.123456), "2026-08-01 00:00:00.123456+00"),
                (Date(timeIntervalSince1970: -0.5), "1969-12-31 23:59:59.5+00"),
            ] {
                let row = try await pool.query("SELECT \(date)::text, \(text)::timestamptz, \(date) = \(text)::timestamptz")[0]
                #expect(try row.get(0) == text)
                #expect(try row.get(2, as: Bool.self))
                #expect(abs(try row.get(1, as: Date.self).timeIntervalSince(date)) < 0.000_000_5)
            }
            let row = try await pool.query("SELECT 'infinity'::timestamptz, '-infinity'::timestamptz, '2000-01-02'::date")[0]
            #expect(try row.get(0) == Date.distantFuture)
            #expect(try row.get(1) == Date.distantPast)
            #expect(try row.get(2) == Date(timeIntervalSince1970: 946_771_200))
        }
    }

    @Test func arraysComeBackAsTheyWent() async throws {
        try await TestDatabase.with(migrations: nil) { pool in
            try await roundTrip([[], ["a"], ["", "b,{}\"", "NULL", "ü"]], as: "text[]", on: pool)
            try await roundTrip([[1, -2, .max], []], as: "int8[]", on: pool)
            try await roundTrip([[Int32.min, 0]], as: "int4[]", on: pool)
            try await roundTrip([[UUID(), UUID()]], as: "uuid[]", on: pool)
            try await roundTrip([[[1, 2], [], [255]] as [[UInt8]]], as: "bytea[]", on: pool)
            try await roundTrip([[true, false]], as: "bool[]", on: pool)
            try await roundTrip([[0.5, -1]], as: "float8[]", on: pool)
            let unnested = try await pool.query("SELECT x FROM unnest(\(["p", "q"])) AS x")
            #expect(try unnested.map { try $0.get("x", as: String.self) } == ["p", "q"])
            #expect(try await pool.query("SELECT 1 WHERE 'b' = ANY(\(["a", "b"]))").count == 1)
        }
    }

    @Test func arraysThatASwiftArrayCannotHoldAreRefused() async throws {
        try await TestDatabase.with(migrations: nil) { pool in
            let row = try await pool.query("SELECT ARRAY['a', NULL], ARRAY[[1, 2], [3, 4]]::int8[], ARRAY[1, 2]::int8[]")[0]
            expectDecodingError { _ = try row.get(0, as: [String].self) }
            expectDecodingError { _ = try row.get(1, as: [Int].self) }
            expectDecodingError { _ = try row.get(2, as: [UUID].self) }
            #expect(try row.get(2, as: [Int32].self) == [1, 2])
        }
    }

    @Test func numericsAreReadExactly() async throws {
        try await TestDatabase.with(migrations: nil) { pool in
            for text in ["0", "1", "-1", "10000", "99999999", "9223372036854775807", "-9223372036854775808", "120000"] {
                let row = try await pool.query("SELECT \(text)::numeric")[0]
                #expect(try row.get(0, as: Int64.self) == Int64(text))
                #expect(try row.get(0, as: String.self) == text)
            }
            for text in ["0.5", "-0.00001234", "12345.678900", "NaN", "0.0001", "100000000.00000001", "1e-20"] {
                let row = try await pool.query("SELECT \(text)::numeric AS v, (\(text)::numeric)::text AS t")[0]
                #expect(try row.get("v", as: String.self) == row.get("t", as: String.self))
                expectDecodingError { _ = try row.get("v", as: Int.self) }
            }
            expectDecodingError(try await pool.query("SELECT 9223372036854775808")[0])
            #expect(
                try await pool.query("SELECT sum(x), avg(x) FROM generate_series(1, 4) AS x")[0].get(1, as: Double.self) == 2.5)
        }
    }

    private func expectDecodingError(_ row: PostgresRow, sourceLocation: SourceLocation = #_sourceLocation) {
        expectDecodingError(sourceLocation: sourceLocation) { _ = try row.get(0, as: Int.self) }
    }

    private func expectDecodingError(sourceLocation: SourceLocation = #_sourceLocation, _ body: () throws -> Void) {
        #expect(sourceLocation: sourceLocation, performing: body, throws: { code(of: $0) == .decoding })
    }

    @Test func wrongTypesNullsAndUnknownColumnsAreRefusedWithoutTheValue() async throws {
        try await TestDatabase.with(migrations: nil) { pool in
            let row = try await pool.query(
                "SELECT 'secret'::text AS s, NULL::text AS n, 70000::int8 AS big, 5000000000 AS huge")[0]
            expectDecodingError { _ = try row.get("s", as: Int.self) }
            expectDecodingError { _ = try row.get("s", as: UUID.self) }
            expectDecodingError { _ = try row.get("s", as: Colour.self) }
            expectDecodingError { _ = try row.get("n", as: String.self) }
            expectDecodingError { _ = try row.get("huge", as: Int32.self) }
            expectDecodingError { _ = try row.get("big", as: String.self) }
            #expect { try row.get("missing", as: String.self) } throws: { code(of: $0) == .noSuchColumn }
            #expect { try row.get(9, as: String.self) } throws: { code(of: $0) == .noSuchColumn }
            #expect { try row.get("s", as: Int.self) } throws: { !String(reflecting: $0).contains("secret") }
        }
    }

    @Test func nulCharactersAreRefusedBeforeAnythingIsSent() async throws {
        try await TestDatabase.with(migrations: nil) { pool in
            let statements: [PostgresQuery] = ["SELECT \("a\0b")::text", "SELECT 1\0; SELECT 2"]
            for statement in statements {
                await #expect { try await pool.query(statement) } throws: { ($0 as? PostgresError)?.code == .encoding }
            }
            // Inside an array nothing is cut off: the server itself refuses it.
            await #expect { try await pool.query("SELECT \(["a\0b"])") } throws: { ($0 as? PostgresError)?.sqlState == "22021" }
        }
    }

    @Test func valuesNeverBecomePartOfTheStatement() {
        let evil = "'; DROP TABLE job; --"
        let query: PostgresQuery = "SELECT \(evil), \(raw: "now()"), \(3)"
        #expect(query.sql == "SELECT $1, now(), $2")
    }
}
