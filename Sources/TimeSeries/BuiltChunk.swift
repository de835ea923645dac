/// A chunk ready to be sealed.
package struct BuiltChunk: Sendable {
    package let plaintext: [UInt8]
    package let rowCount: Int
    package let itemCount: Int
    /// Where its rows end in the input: the next chunk starts there.
    package let end: InputPosition
    /// The same statistics stand in the chunk.
    package let statistics: DatasetStatistics
}
