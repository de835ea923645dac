import Synchronization

/// Whether the call at work has left a record in the trail.
///
/// The edge sets one for each call (`$current.withValue`) and gives no answer while it is unset: a service that forgot to
/// record is found by its first call.
package final class RecordedMark: Sendable {
    @TaskLocal package static var current: RecordedMark?

    private let flag = Atomic(false)

    package init() {}

    package var isSet: Bool { flag.load(ordering: .acquiring) }

    func set() { flag.store(true, ordering: .releasing) }
}
