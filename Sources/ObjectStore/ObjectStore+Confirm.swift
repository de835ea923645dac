import Crypto

extension ObjectStore {
    /// Whether what is stored under the name has this length and SHA-256: the answer to a retry of our own that
    /// finds its name taken. Reads the object through once.
    package func holds(_ object: PublishedObject) async throws -> Bool {
        guard let info = try await head(object.key), info.length == object.length else { return false }
        let reader = try await reader(object.key)
        var hash = SHA256()
        while true {
            let bytes = try await reader.read(atMost: 1 << 20)
            if bytes.isEmpty { break }
            hash.update(data: bytes)
        }
        return hash.finalize().elementsEqual(object.sha256)
    }
}
