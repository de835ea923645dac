/// Takes parameters off the front of an input. What is missing counts as zero, so that every input means something.
struct FuzzReader {
    private var rest: ArraySlice<UInt8>

    init(_ input: ArraySlice<UInt8>) { rest = input }

    var isEmpty: Bool { rest.isEmpty }

    mutating func byte() -> UInt8 { rest.popFirst() ?? 0 }

    mutating func short() -> Int { Int(byte()) << 8 | Int(byte()) }

    /// A number below `bound`, from two bytes.
    mutating func number(below bound: Int) -> Int { bound > 0 ? short() % bound : 0 }

    mutating func remaining() -> [UInt8] {
        defer { rest = [] }
        return Array(rest)
    }
}
