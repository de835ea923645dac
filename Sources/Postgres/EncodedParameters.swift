import CLibpq

/// Parameters as libpq wants them: one buffer and parallel arrays.
struct EncodedParameters {
    /// The protocol counts parameters in 16 bits.
    static let maximumCount = 65_535

    let types: [Oid]
    let lengths: [Int32]
    /// 0 text, 1 binary.
    let formats: [Int32]
    private let offsets: [Int?]
    private let storage: [UInt8]

    var count: Int { types.count }

    init(_ parameters: [PostgresParameter]) throws {
        guard parameters.count <= Self.maximumCount else {
            throw PostgresError(.encoding, message: "A statement has more than \(Self.maximumCount) parameters.")
        }
        var offsets: [Int?] = []
        var lengths: [Int32] = []
        var storage: [UInt8] = []
        for parameter in parameters {
            let start = storage.count
            switch parameter.content {
            case .null:
                offsets.append(nil)
                lengths.append(0)
                continue
            case .text(let text):
                // libpq reads text up to the first NUL: what follows one would vanish without a word.
                guard !text.utf8.contains(0) else {
                    throw PostgresError(.encoding, message: "A text parameter contains a NUL character.")
                }
                storage.append(contentsOf: text.utf8)
                storage.append(0)
            case .binary(let bytes):
                storage.append(contentsOf: bytes)
            }
            guard let length = Int32(exactly: storage.count - start) else {
                throw PostgresError(.encoding, message: "A parameter is longer than 2 GiB.")
            }
            offsets.append(start)
            lengths.append(length)
        }
        // An empty value is a pointer to zero bytes, not a null pointer: there must be something to point to.
        storage.append(0)
        self.offsets = offsets
        self.lengths = lengths
        self.storage = storage
        types = parameters.map(\.type.rawValue)
        formats = parameters.map { if case .binary = $0.content { 1 } else { 0 } }
    }

    func withPointers<R>(_ body: ([UnsafePointer<CChar>?]) -> R) -> R {
        storage.withUnsafeBytes { bytes in
            body(offsets.map { $0.map { bytes.baseAddress!.advanced(by: $0).assumingMemoryBound(to: CChar.self) } })
        }
    }
}
