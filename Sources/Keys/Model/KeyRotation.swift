package import AWSProtocol

package import struct FoundationEssentials.Date

/// How a key's material came to be replaced.
package enum RotationType: String, Sendable, CaseIterable {
    case automatic = "AUTOMATIC"
    case onDemand = "ON_DEMAND"
}

/// A material of a key as ListKeyRotations shows it.
package struct KeyRotation: Sendable, Equatable {
    package var key: ARN
    /// 64 hexadecimal digits.
    package var materialID: String
    /// From 1; the order in which the materials came.
    package var version: Int
    /// Whether it seals; every other one only opens what was sealed under it.
    package var isCurrent: Bool
    /// Nil for the key's first material, which no rotation brought.
    package var rotatedAt: Date?
    package var type: RotationType?
}

/// What GetKeyRotationStatus tells.
package struct KeyRotationStatus: Sendable, Equatable {
    package var key: ARN
    /// Nil while automatic rotation is off, and while the key waits for its deletion.
    package var schedule: RotationSchedule?
}

/// When a key's material is replaced of itself; pure.
///
/// Source: KMS API reference, EnableKeyRotation and GetKeyRotationStatus.
package struct RotationSchedule: Sendable, Equatable {
    package static let periodDays = 90...2560
    package static let defaultPeriodDays = 365

    package var periodDays: Int
    package var next: Date

    package init(periodDays: Int, next: Date) {
        self.periodDays = periodDays
        self.next = next
    }

    /// The schedule after EnableKeyRotation at `now`: the period begins then. Asked again with the period that it has, it goes on
    /// as it was, so that whoever applies the same settings every day does not put the rotation off for ever.
    package static func enabled(_ current: RotationSchedule?, periodDays: Int, now: Date) -> RotationSchedule {
        if let current, current.periodDays == periodDays { return current }
        return RotationSchedule(periodDays: periodDays, next: now.addingTimeInterval(seconds(periodDays)))
    }

    /// The schedule after the rotation that was due: from the day it was due, or, where that is more than a period ago (the
    /// key was disabled so long), from `now`.
    package func following(_ now: Date) -> RotationSchedule {
        let following = next.addingTimeInterval(Self.seconds(periodDays))
        return RotationSchedule(
            periodDays: periodDays, next: following > now ? following : now.addingTimeInterval(Self.seconds(periodDays)))
    }

    private static func seconds(_ days: Int) -> Double { Double(days) * 86_400 }
}
