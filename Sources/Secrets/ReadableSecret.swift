/// Secret bytes that can be lent and forgotten: in locked memory (``SharedSecret``) or, where they came in through
/// buffers that nobody could lock, in ordinary memory (``WipedBytes``).
package protocol ReadableSecret: Wipeable {
    var count: Int { get }
    /// Lends the bytes for the call. They must not be kept. Throws ``SecretError/wiped``.
    func withUnsafeBytes<R>(_ body: (UnsafeRawBufferPointer) throws -> R) throws -> R
}

extension SharedSecret: ReadableSecret {}
