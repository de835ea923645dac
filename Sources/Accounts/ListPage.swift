/// Which part of a listing is asked for: what comes after a name, in the order of lower-case names.
package struct ListPage: Sendable, Hashable {
    package static let limits = 1...1000
    package static let defaultLimit = 100

    /// Empty for the first page.
    package let after: String
    package let limit: Int
    /// `/` for all.
    package let pathPrefix: String

    package init(after: String = "", limit: Int = defaultLimit, pathPrefix: String = "/") {
        self.after = after
        self.limit = limit
        self.pathPrefix = pathPrefix
    }

    /// One row more than asked for tells whether there is a next page.
    var fetched: Int { limit + 1 }

    /// A page of names that are read as a whole, from where it begins.
    package func cut(_ names: [String]) -> Listed<String> { cut(names) { $0 } }

    /// - Parameter key: what the listing is ordered by.
    package func cut<Element>(_ rows: [Element], by key: (Element) -> String) -> Listed<Element> {
        let kept = Array(rows.prefix(limit))
        return Listed(elements: kept, next: rows.count > limit ? kept.last.map(key) : nil)
    }
}

/// A page of a listing.
package struct Listed<Element> {
    package let elements: [Element]
    /// The `after` of the next page; nil where this is the last.
    package let next: String?

    package init(elements: [Element], next: String?) {
        self.elements = elements
        self.next = next
    }

    package func map<Other>(_ transform: (Element) throws -> Other) rethrows -> Listed<Other> {
        Listed<Other>(elements: try elements.map(transform), next: next)
    }
}

extension Listed: Sendable where Element: Sendable {}
