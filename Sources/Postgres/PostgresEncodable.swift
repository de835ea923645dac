package import FoundationEssentials

/// A value that can be bound as a parameter.
///
/// `enum State: String, PostgresEncodable` and `struct JobID: RawRepresentable, PostgresEncodable` need nothing more.
package protocol PostgresEncodable: Sendable {
    /// The type a null of this kind is declared as.
    static var postgresType: PostgresType { get }
    var postgresParameter: PostgresParameter { get }
}

extension PostgresEncodable where Self: RawRepresentable, RawValue: PostgresEncodable {
    package static var postgresType: PostgresType { RawValue.postgresType }
    package var postgresParameter: PostgresParameter { rawValue.postgresParameter }
}

/// A value with a binary format, which is also its format inside an array.
package protocol PostgresBinaryEncodable: PostgresEncodable {
    var postgresBytes: [UInt8] { get }
}

extension PostgresBinaryEncodable {
    package var postgresParameter: PostgresParameter {
        PostgresParameter(type: Self.postgresType, content: .binary(postgresBytes))
    }
}

extension Optional: PostgresEncodable where Wrapped: PostgresEncodable {
    package static var postgresType: PostgresType { Wrapped.postgresType }
    package var postgresParameter: PostgresParameter {
        self?.postgresParameter ?? PostgresParameter(type: Wrapped.postgresType, content: .null)
    }
}

extension String: PostgresEncodable {
    package static var postgresType: PostgresType { .unspecified }
    package var postgresParameter: PostgresParameter { PostgresParameter(type: .unspecified, content: .text(self)) }
}

extension Bool: PostgresBinaryEncodable {
    package static var postgresType: PostgresType { .bool }
    package var postgresBytes: [UInt8] { [self ? 1 : 0] }
}

extension Int: PostgresBinaryEncodable {
    package static var postgresType: PostgresType { .int8 }
    package var postgresBytes: [UInt8] { [UInt8](bigEndian: Int64(self)) }
}

extension Int64: PostgresBinaryEncodable {
    package static var postgresType: PostgresType { .int8 }
    package var postgresBytes: [UInt8] { [UInt8](bigEndian: self) }
}

extension Int32: PostgresBinaryEncodable {
    package static var postgresType: PostgresType { .int4 }
    package var postgresBytes: [UInt8] { [UInt8](bigEndian: self) }
}

extension Double: PostgresBinaryEncodable {
    package static var postgresType: PostgresType { .float8 }
    package var postgresBytes: [UInt8] { [UInt8](bigEndian: bitPattern) }
}

extension UUID: PostgresBinaryEncodable {
    package static var postgresType: PostgresType { .uuid }
    package var postgresBytes: [UInt8] { withUnsafeBytes(of: uuid) { [UInt8]($0) } }
}

/// timestamptz: microseconds since 2000-01-01T00:00:00Z, rounded to the nearest.
extension Date: PostgresBinaryEncodable {
    /// 2000-01-01T00:00:00Z in seconds since 1970.
    static let postgresEpochSeconds = 946_684_800.0

    package static var postgresType: PostgresType { .timestamptz }
    package var postgresBytes: [UInt8] {
        let microseconds = ((timeIntervalSince1970 - Self.postgresEpochSeconds) * 1_000_000).rounded()
        // The extremes stand for "never" and "always" (`infinity`, `-infinity`), as on the server.
        if microseconds >= Double(Int64.max) { return [UInt8](bigEndian: Int64.max) }
        if microseconds <= Double(Int64.min) || microseconds.isNaN { return [UInt8](bigEndian: Int64.min) }
        return [UInt8](bigEndian: Int64(microseconds))
    }
}

/// interval: microseconds, no days and no months.
extension Duration: PostgresBinaryEncodable {
    package static var postgresType: PostgresType { .interval }
    package var postgresBytes: [UInt8] {
        let (seconds, attoseconds) = components
        var bytes = [UInt8](bigEndian: seconds * 1_000_000 + attoseconds / 1_000_000_000_000)
        bytes.append(bigEndian: Int64(0))
        return bytes
    }
}

/// A JSON document as text, bound as jsonb and read from json or jsonb.
package struct PostgresJSON: Sendable, Equatable {
    package var text: String
    package init(text: String) { self.text = text }
}

extension PostgresJSON: PostgresEncodable {
    package static var postgresType: PostgresType { .jsonb }
    package var postgresParameter: PostgresParameter { PostgresParameter(type: .jsonb, content: .text(text)) }
}
