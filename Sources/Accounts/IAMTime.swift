package import FoundationEssentials

/// Times as IAM and STS write them: `2026-11-23T13:28:26Z`.
package enum IAMTime {
    package static func text(_ date: Date) -> String {
        date.formatted(.iso8601)
    }
}
