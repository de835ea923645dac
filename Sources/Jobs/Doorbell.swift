/// "There may be work": rings fold into one until somebody answers, so a flood of messages costs one look.
///
/// It carries nothing. What is to be done stands in PostgreSQL; lost, doubled, late or forged rings change no outcome.
package struct Doorbell: Sendable {
    private let bell = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))

    package init() {}

    package func ring() {
        bell.continuation.yield()
    }

    /// No ring will come any more.
    package func close() {
        bell.continuation.finish()
    }

    /// For one listener.
    package var rings: AsyncStream<Void> { bell.stream }
}
