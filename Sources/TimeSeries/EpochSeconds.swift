/// Seconds since 1970-01-01 00:00:00 in the zone that the data share; no zone is applied anywhere.
package typealias EpochSeconds = Int64

/// The first and the last second that a four-digit year can name.
package let earliestTimestamp: EpochSeconds = -62_135_596_800
package let latestTimestamp: EpochSeconds = 253_402_300_799

let secondsInDay: Int64 = 86_400
