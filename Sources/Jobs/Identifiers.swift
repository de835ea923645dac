package import FoundationEssentials

/// An id that is a UUID. It prints in lower case, as it stands in object names, grant names and session names.
package protocol UUIDIdentifier: RawRepresentable<UUID>, Sendable, Hashable, LosslessStringConvertible {
    init(rawValue: UUID)
}

extension UUIDIdentifier {
    /// A random one (version 4), without the file that Foundation opens for each.
    package init() {
        var random = SystemRandomNumberGenerator()
        self.init(rawValue: .random(using: &random))
    }

    package init?(_ description: String) {
        guard let uuid = UUID(uuidString: description) else { return nil }
        self.init(rawValue: uuid)
    }

    package var description: String { rawValue.uuidString.lowercased() }
}

/// The id of a job: drawn by whoever accepts it, before anything is stored, so that role sessions can carry it.
package struct JobID: UUIDIdentifier {
    package let rawValue: UUID

    package init(rawValue: UUID) {
        self.rawValue = rawValue
    }
}

/// The id of a task of a job.
package struct TaskID: UUIDIdentifier {
    package let rawValue: UUID

    package init(rawValue: UUID) {
        self.rawValue = rawValue
    }
}

/// A number that only goes up, and of which only the newest counts.
package protocol FencingNumber: RawRepresentable<Int64>, Sendable, Hashable, Comparable, CustomStringConvertible {
    init(rawValue: Int64)
}

extension FencingNumber {
    package init(_ rawValue: Int64) {
        self.init(rawValue: rawValue)
    }

    package static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
    package var next: Self { Self(rawValue + 1) }
    package var description: String { String(rawValue) }
}

/// The number of a task's attempt: each claim raises it, and whatever an older attempt still tries changes nothing.
package struct Fence: FencingNumber {
    package let rawValue: Int64

    package init(rawValue: Int64) {
        self.rawValue = rawValue
    }
}

/// The number of a job's life: raised once when it fails or is stopped, which fences all of its tasks together.
package struct Epoch: FencingNumber {
    package let rawValue: Int64

    package init(rawValue: Int64) {
        self.rawValue = rawValue
    }
}
