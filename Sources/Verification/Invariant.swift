/// One promise that a cluster keeps whatever happens to it, as a check that anybody can run.
package protocol Invariant: Sendable {
    /// `I1` to `I8`.
    var name: String { get }
    /// What holds, in a few words.
    var title: String { get }
    func check(_ cluster: VerifiedCluster) async throws -> Finding
}

/// What one check looked at and what it found.
package struct Finding: Sendable, Equatable {
    /// Violations that are kept in words; the rest is only counted.
    package static let violationsKept = 50

    /// What was looked at, and how many of it.
    package private(set) var checked: [(what: String, count: Int)] = []
    package private(set) var violations: [String] = []
    package private(set) var violationCount = 0
    /// Why something, or everything, was not looked at.
    package private(set) var notes: [String] = []

    package init() {}

    package var holds: Bool { violationCount == 0 }
    /// Whether anything was looked at: a check of nothing proves nothing.
    package var isEmpty: Bool { checked.allSatisfy { $0.count == 0 } }

    package mutating func count(_ what: String, _ count: Int) { checked.append((what, count)) }
    package mutating func note(_ text: String) { notes.append(text) }

    package mutating func violation(_ text: String) {
        violationCount += 1
        if violations.count < Self.violationsKept { violations.append(text) }
    }

    package static func == (left: Finding, right: Finding) -> Bool {
        left.violations == right.violations && left.violationCount == right.violationCount && left.notes == right.notes
            && left.checked.elementsEqual(right.checked) { $0 == $1 }
    }
}
