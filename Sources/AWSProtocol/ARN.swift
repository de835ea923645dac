/// An Amazon Resource Name: `arn:partition:service:region:account:resource`.
///
/// The resource keeps any further colons and slashes. No part may hold white space or control characters; region and
/// account may be empty.
package struct ARN: Sendable, Hashable, CustomStringConvertible, LosslessStringConvertible {
    /// Longest name that any AWS API takes.
    package static let maximumBytes = 2048

    package let partition: String
    package let service: String
    package let region: String
    package let account: String
    package let resource: String

    /// Parts are taken as they are: for names made here, of values already checked.
    package init(partition: String = "aws", service: String, region: String, account: String, resource: String) {
        self.partition = partition
        self.service = service
        self.region = region
        self.account = account
        self.resource = resource
    }

    /// Nil for anything that is not a whole ARN.
    package init?(_ description: String) {
        guard description.utf8.count <= Self.maximumBytes,
            description.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7F })
        else { return nil }
        let parts = description.split(separator: ":", maxSplits: 5, omittingEmptySubsequences: false)
        guard parts.count == 6, parts[0] == "arn", !parts[1].isEmpty, !parts[2].isEmpty, !parts[5].isEmpty else {
            return nil
        }
        self.init(
            partition: String(parts[1]), service: String(parts[2]), region: String(parts[3]),
            account: String(parts[4]), resource: String(parts[5]))
    }

    package var description: String { "arn:\(partition):\(service):\(region):\(account):\(resource)" }

    /// What stands before the first slash or colon of the resource (`role`, `key`, `dataset-group`); empty where there
    /// is none, as in a bucket's name.
    package var resourceType: String {
        guard let end = resource.firstIndex(where: { $0 == "/" || $0 == ":" }) else { return "" }
        return String(resource[..<end])
    }

    /// What stands after it: `path/name` of a role, the id of a key; the whole resource where there is no type.
    package var resourceName: String {
        guard let end = resource.firstIndex(where: { $0 == "/" || $0 == ":" }) else { return resource }
        return String(resource[resource.index(after: end)...])
    }

    /// The last part of a name with a path: the name of a role without its path.
    package var baseName: String {
        resourceName.split(separator: "/").last.map(String.init) ?? resourceName
    }

    /// Whether an account id has its twelve digits.
    package static func isAccountID(_ text: String) -> Bool {
        text.utf8.count == 12 && text.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    }
}
