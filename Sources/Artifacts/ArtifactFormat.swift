/// Sizes of artifacts.
package enum ArtifactFormat {
    /// Plaintext in a frame: a range read fetches and opens whole frames.
    package static let frameBytes = 64 << 10
    /// Plaintext at which a chunk should end.
    package static let chunkBytes = 64 << 20
    /// Plaintext that a chunk's writer gathers before it seals and stores it.
    package static let batchBytes = 1 << 20
    /// Longest manifest, as an object.
    package static let maximumManifestBytes = 64 << 20
    /// Values in a manifest altogether.
    package static let maximumManifestEntries = 4_000_000
    /// Chunks of one artifact.
    package static let maximumChunks = 100_000
}
