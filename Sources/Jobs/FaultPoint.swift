/// A named place at which tests, and whoever enables them in the configuration, let a fault happen.
package struct FaultPoint: RawRepresentable, Sendable, Hashable, CustomStringConvertible {
    package let rawValue: String

    package init(rawValue: String) {
        self.rawValue = rawValue
    }

    package init(_ name: String) {
        self.init(rawValue: name)
    }

    package var description: String { rawValue }

    package static let taskClaimed = FaultPoint("task.claimed")
    package static let planned = FaultPoint("task.planned")
    package static let objectReserved = FaultPoint("object.reserved")
    package static let chunkBeforeRecord = FaultPoint("chunk.before-record")
    package static let chunkRecorded = FaultPoint("chunk.recorded")
    package static let grantIntended = FaultPoint("grant.intended")
    package static let grantCreated = FaultPoint("grant.created")
    package static let grantRecorded = FaultPoint("grant.recorded")
    package static let taskBeforeFinish = FaultPoint("task.before-finish")
    package static let manifestWritten = FaultPoint("commit.manifest-written")
    package static let manifestRecorded = FaultPoint("commit.manifest-recorded")
    package static let grantsRetired = FaultPoint("commit.grants-retired")
    package static let published = FaultPoint("commit.published")
    package static let fenced = FaultPoint("cleanup.claimed")
    package static let cleanedUp = FaultPoint("cleanup.before-end")

    /// For `doctor` to print.
    package static let all: [FaultPoint] = [
        taskClaimed, planned, objectReserved, chunkBeforeRecord, chunkRecorded, grantIntended, grantCreated,
        grantRecorded, taskBeforeFinish, manifestWritten, manifestRecorded, grantsRetired, published, fenced, cleanedUp,
    ]
}
