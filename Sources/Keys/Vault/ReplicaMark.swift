import FoundationEssentials

/// What makes a directory a replica: the vault it belongs to, and its number among the replicas.
///
/// Without the mark a directory counts as away. An empty mount point must not take secrets in, nor confirm that one is gone.
struct ReplicaMark: Sendable, Equatable {
    static let file = "vault.mark"
    static let header = "forecastle vault 1"

    var vault: UUID
    /// 1 and up. Secrets that several processes may make at once are made in this order.
    var number: Int

    var text: String { "\(Self.header)\nvault \(vault.uuidString.lowercased())\nreplica \(number)\n" }

    init(vault: UUID, number: Int) {
        self.vault = vault
        self.number = number
    }

    init(parsing text: String) throws(VaultError) {
        let lines = text.split(separator: "\n").map(String.init)
        guard lines.count == 3, lines[0] == Self.header, lines[1].hasPrefix("vault "), lines[2].hasPrefix("replica "),
            let vault = UUID(uuidString: String(lines[1].dropFirst(6))), let number = Int(lines[2].dropFirst(8)), number > 0
        else { throw VaultError(.unsafe, "The mark of a replica cannot be read.") }
        self.vault = vault
        self.number = number
    }
}
