package import FoundationEssentials

/// A type that a column can be read as. An `Optional` of it reads NULL as nil; without one NULL is an error.
package protocol PostgresDecodable: Sendable {
    /// Throws `PostgresDecodingFailure`; the row adds which column it was.
    init(postgres cell: PostgresCell) throws
}

/// The bytes of one value in binary format. They live as long as the row they came from: copy, never keep.
package struct PostgresCell {
    let type: PostgresType
    let bytes: UnsafeRawBufferPointer
}

/// A value is not of the type that was asked for. Holds nothing of the value.
package struct PostgresDecodingFailure: Error, Sendable { package init() {} }

extension PostgresDecodable where Self: RawRepresentable, RawValue: PostgresDecodable {
    package init(postgres cell: PostgresCell) throws {
        guard let value = Self(rawValue: try RawValue(postgres: cell)) else { throw PostgresDecodingFailure() }
        self = value
    }
}

extension String: PostgresDecodable {
    package init(postgres cell: PostgresCell) throws {
        var bytes = cell.bytes[...]
        switch cell.type {
        case .text, .varchar, .bpchar, .name, .char, .json: break
        case .jsonb:
            // jsonb_send: one byte of version, then text.
            guard bytes.popFirst() == 1 else { throw PostgresDecodingFailure() }
        case .numeric:
            self = try PostgresNumeric(cell).description
            return
        // Types without a text-like binary format that have one Swift type of their own.
        case .bool, .bytea, .int2, .int4, .int8, .oid, .xid8, .float4, .float8, .date, .timestamp, .timestamptz, .interval, .uuid:
            throw PostgresDecodingFailure()
        // Enums, domains over text and the types of extensions (citext) are sent as text.
        default: break
        }
        guard let text = String(validating: bytes, as: UTF8.self) else { throw PostgresDecodingFailure() }
        self = text
    }
}

extension PostgresJSON: PostgresDecodable {
    package init(postgres cell: PostgresCell) throws {
        guard cell.type == .json || cell.type == .jsonb else { throw PostgresDecodingFailure() }
        self.init(text: try String(postgres: cell))
    }
}

extension Bool: PostgresDecodable {
    package init(postgres cell: PostgresCell) throws {
        guard cell.type == .bool, cell.bytes.count == 1 else { throw PostgresDecodingFailure() }
        self = cell.bytes[0] != 0
    }
}

extension Int64: PostgresDecodable {
    package init(postgres cell: PostgresCell) throws {
        var reader = BinaryReader(cell.bytes)
        switch cell.type {
        case .int8: self = try reader.integer(Int64.self)
        case .int4: self = Int64(try reader.integer(Int32.self))
        case .int2: self = Int64(try reader.integer(Int16.self))
        case .oid: self = Int64(try reader.integer(UInt32.self))
        case .xid8:
            guard let value = Int64(exactly: try reader.integer(UInt64.self)) else { throw PostgresDecodingFailure() }
            self = value
        // sum(int8) and the like answer numeric.
        case .numeric:
            guard let value = try PostgresNumeric(cell).integer else { throw PostgresDecodingFailure() }
            self = value
        default: throw PostgresDecodingFailure()
        }
    }
}

extension Int: PostgresDecodable {
    package init(postgres cell: PostgresCell) throws { self = Int(try Int64(postgres: cell)) }
}

extension Int32: PostgresDecodable {
    package init(postgres cell: PostgresCell) throws {
        guard let value = Int32(exactly: try Int64(postgres: cell)) else { throw PostgresDecodingFailure() }
        self = value
    }
}

extension Double: PostgresDecodable {
    package init(postgres cell: PostgresCell) throws {
        var reader = BinaryReader(cell.bytes)
        switch cell.type {
        case .float8: self = Double(bitPattern: try reader.integer(UInt64.self))
        case .float4: self = Double(Float(bitPattern: try reader.integer(UInt32.self)))
        // extract(epoch from …) and avg(int) answer numeric.
        case .numeric:
            guard let value = Double(try PostgresNumeric(cell).description) else { throw PostgresDecodingFailure() }
            self = value
        case .int2, .int4, .int8: self = Double(try Int64(postgres: cell))
        default: throw PostgresDecodingFailure()
        }
    }
}

extension UUID: PostgresDecodable {
    package init(postgres cell: PostgresCell) throws {
        guard cell.type == .uuid, cell.bytes.count == MemoryLayout<uuid_t>.size else { throw PostgresDecodingFailure() }
        self.init(uuid: cell.bytes.loadUnaligned(as: uuid_t.self))
    }
}

extension Date: PostgresDecodable {
    package init(postgres cell: PostgresCell) throws {
        var reader = BinaryReader(cell.bytes)
        switch cell.type {
        case .timestamptz, .timestamp:
            let microseconds = try reader.integer(Int64.self)
            switch microseconds {
            case .max: self = .distantFuture
            case .min: self = .distantPast
            // Whole seconds and the rest apart: one division would lose the last digit of today's dates.
            default:
                let (seconds, rest) = microseconds.quotientAndRemainder(dividingBy: 1_000_000)
                self.init(timeIntervalSince1970: Self.postgresEpochSeconds + Double(seconds) + Double(rest) / 1_000_000)
            }
        case .date:
            let days = try reader.integer(Int32.self)
            self.init(timeIntervalSince1970: Self.postgresEpochSeconds + Double(days) * 86_400)
        default: throw PostgresDecodingFailure()
        }
    }
}

extension Duration: PostgresDecodable {
    package init(postgres cell: PostgresCell) throws {
        var reader = BinaryReader(cell.bytes)
        guard cell.type == .interval else { throw PostgresDecodingFailure() }
        let microseconds = try reader.integer(Int64.self)
        let days = try reader.integer(Int32.self)
        // A month has no length in seconds.
        guard try reader.integer(Int32.self) == 0 else { throw PostgresDecodingFailure() }
        self = .microseconds(microseconds) + .seconds(Int64(days) * 86_400)
    }
}
