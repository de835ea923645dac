/// A value on its way to the server.
package struct PostgresParameter: Sendable, Equatable {
    enum Content: Sendable, Equatable {
        case null
        /// Text format; the server reads it as whatever type it expects there.
        case text(String)
        /// Binary format of `type`.
        case binary([UInt8])
    }

    /// Type declared to the server; `.unspecified` lets it infer one.
    let type: PostgresType
    let content: Content

    init(type: PostgresType, content: Content) {
        self.type = type
        self.content = content
    }
}

/// An object id of `pg_type`; built-in types have the same ones on every server (pg_type.dat).
package struct PostgresType: RawRepresentable, Sendable, Hashable {
    package let rawValue: UInt32
    package init(rawValue: UInt32) { self.rawValue = rawValue }
    private init(_ value: UInt32) { rawValue = value }

    static let unspecified = Self(0)
    static let bool = Self(16)
    static let bytea = Self(17)
    static let char = Self(18)
    static let name = Self(19)
    static let int8 = Self(20)
    static let int2 = Self(21)
    static let int4 = Self(23)
    static let text = Self(25)
    static let oid = Self(26)
    static let json = Self(114)
    static let float4 = Self(700)
    static let float8 = Self(701)
    static let bpchar = Self(1042)
    static let varchar = Self(1043)
    static let date = Self(1082)
    static let timestamp = Self(1114)
    static let timestamptz = Self(1184)
    static let interval = Self(1186)
    static let numeric = Self(1700)
    static let uuid = Self(2950)
    static let jsonb = Self(3802)
    static let xid8 = Self(5069)

    static let boolArray = Self(1000)
    static let byteaArray = Self(1001)
    static let int4Array = Self(1007)
    static let textArray = Self(1009)
    static let int8Array = Self(1016)
    static let float8Array = Self(1022)
    static let timestamptzArray = Self(1185)
    static let uuidArray = Self(2951)
}
