/// The members of a JSON object in the order in which they were written, each name once.
///
/// Names are compared byte by byte: Swift's own string comparison calls U+212A (kelvin sign) equal to "K",
/// which would let two spellings of one member pass for the same.
package struct JSONObject: Sendable, Equatable, ExpressibleByDictionaryLiteral {
    package struct Member: Sendable, Equatable {
        package let key: String
        package var value: JSONValue
    }

    package private(set) var members: [Member] = []

    package init() {}

    /// A name that occurs twice keeps its first place and takes the last value.
    package init(_ pairs: some Sequence<(String, JSONValue)>) {
        for (key, value) in pairs { self[key] = value }
    }

    package init(dictionaryLiteral elements: (String, JSONValue)...) {
        self.init(elements)
    }

    /// For the parser, which has refused a doubled name already.
    init(uniqueMembers: [Member]) {
        members = uniqueMembers
    }

    package var keys: [String] { members.map(\.key) }
    package var count: Int { members.count }
    package var isEmpty: Bool { members.isEmpty }

    /// The member's value; nil when absent. Setting replaces in place or appends; setting nil removes.
    package subscript(key: String) -> JSONValue? {
        get { index(of: key).map { members[$0].value } }
        set {
            switch (index(of: key), newValue) {
            case (let index?, let value?): members[index].value = value
            case (let index?, nil): members.remove(at: index)
            case (nil, let value?): members.append(Member(key: key, value: value))
            case (nil, nil): break
            }
        }
    }

    /// Appends a member, or replaces the one of that name.
    package mutating func append(_ key: String, _ value: JSONValue) {
        self[key] = value
    }

    /// Appends a member only where there is a value, as AWS leaves absent members out.
    package mutating func append(_ key: String, ifPresent value: JSONValue?) {
        if let value { self[key] = value }
    }

    private func index(of key: String) -> Int? {
        members.firstIndex { $0.key.utf8.elementsEqual(key.utf8) }
    }
}

extension JSONObject: Sequence {
    package func makeIterator() -> AnyIterator<(key: String, value: JSONValue)> {
        var iterator = members.makeIterator()
        return AnyIterator { iterator.next().map { ($0.key, $0.value) } }
    }
}
