package import FoundationEssentials

/// The id of a job: drawn by whoever accepts it, before anything is stored, so that role sessions can carry it.
package struct JobID: RawRepresentable, Sendable, Hashable, CustomStringConvertible, LosslessStringConvertible {
    package let rawValue: UUID

    package init(rawValue: UUID) {
        self.rawValue = rawValue
    }

    package init() {
        self.init(rawValue: UUID())
    }

    package init?(_ description: String) {
        guard let uuid = UUID(uuidString: description) else { return nil }
        rawValue = uuid
    }

    /// Lower case, as it stands in object names, grant names and session names.
    package var description: String { rawValue.uuidString.lowercased() }
}

/// The id of a task of a job.
package struct TaskID: RawRepresentable, Sendable, Hashable, CustomStringConvertible, LosslessStringConvertible {
    package let rawValue: UUID

    package init(rawValue: UUID) {
        self.rawValue = rawValue
    }

    package init() {
        self.init(rawValue: UUID())
    }

    package init?(_ description: String) {
        guard let uuid = UUID(uuidString: description) else { return nil }
        rawValue = uuid
    }

    package var description: String { rawValue.uuidString.lowercased() }
}

/// The number of a task's attempt: each claim raises it, and whatever an older attempt still tries changes nothing.
package struct Fence: RawRepresentable, Sendable, Hashable, Comparable, CustomStringConvertible {
    package let rawValue: Int64

    package init(rawValue: Int64) {
        self.rawValue = rawValue
    }

    package init(_ rawValue: Int64) {
        self.init(rawValue: rawValue)
    }

    package static func < (a: Fence, b: Fence) -> Bool { a.rawValue < b.rawValue }
    package var next: Fence { Fence(rawValue + 1) }
    package var description: String { String(rawValue) }
}

/// The number of a job's life: raised once when it fails or is stopped, which fences all of its tasks together.
package struct Epoch: RawRepresentable, Sendable, Hashable, Comparable, CustomStringConvertible {
    package let rawValue: Int64

    package init(rawValue: Int64) {
        self.rawValue = rawValue
    }

    package init(_ rawValue: Int64) {
        self.init(rawValue: rawValue)
    }

    package static func < (a: Epoch, b: Epoch) -> Bool { a.rawValue < b.rawValue }
    package var next: Epoch { Epoch(rawValue + 1) }
    package var description: String { String(rawValue) }
}
