/// A place between two rows of a file.
package struct InputPosition: Sendable, Hashable {
    /// Bytes before it.
    package var offset: Int
    /// The line that starts there, counted from 1.
    package var line: Int

    package init(offset: Int, line: Int) {
        self.offset = offset
        self.line = line
    }

    package static let start = InputPosition(offset: 0, line: 1)
}
