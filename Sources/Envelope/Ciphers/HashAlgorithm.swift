/// SHA-2, as suites name it for derivation and signatures.
package enum HashAlgorithm: Sendable, CaseIterable {
    case sha256, sha384, sha512

    /// Length of a digest.
    package var byteCount: Int {
        switch self {
        case .sha256: 32
        case .sha384: 48
        case .sha512: 64
        }
    }

    /// RFC 5869, section 2.3: the counter of an expansion has one byte.
    var maximumDerivedBytes: Int { 255 * byteCount }

    func checkDerived(_ outputs: [(info: [UInt8], bytes: UnsafeMutableRawBufferPointer)]) throws(EnvelopeError) {
        for output in outputs where !(1...maximumDerivedBytes).contains(output.bytes.count) {
            throw .invalidInput("HKDF gives between 1 and \(maximumDerivedBytes) bytes.")
        }
    }
}

/// A digest of bytes that arrive in parts. For one thread at a time; `finish()` is called once and last.
package protocol RunningDigest: AnyObject, Sendable {
    func update(_ bytes: UnsafeRawBufferPointer) throws
    func finish() throws -> [UInt8]
}
