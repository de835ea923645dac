package import AWSProtocol
import Envelope

/// What an artifact consists of: its chunks in order, each pinned, and sections that the room that made it fills.
///
/// JSON: `{"format": 1, "account", "resource", "incarnation", "chunks": [pin…], "sections": {"schema": …, "order": …,
/// "counts": …, "statistics": …}}`. Values derived from data live here and nowhere else, so that they are under the key.
package struct Manifest: Sendable, Equatable {
    package let scope: ArtifactScope
    package let chunks: [ChunkPin]
    /// Read and written as they are.
    package let sections: JSONObject

    private static let format: Int64 = 1

    package init(scope: ArtifactScope, chunks: [ChunkPin], sections: JSONObject) {
        self.scope = scope
        self.chunks = chunks
        self.sections = sections
    }

    package var plaintextBytes: Int { chunks.reduce(0) { $0 + $1.plaintextBytes } }

    func serialized() -> [UInt8] {
        JSONValue.object([
            "format": .int(Self.format),
            "account": .string(scope.account),
            "resource": .string(scope.resource),
            "incarnation": .string(scope.incarnation),
            "chunks": .array(chunks.map(\.json)),
            "sections": .object(sections),
        ]).serialized()
    }

    /// Throws `malformedManifest`. Every chunk must be of the manifest's own artifact.
    init(parsing bytes: [UInt8]) throws {
        let object: JSONObject
        do {
            let limits = JSONLimits(
                entries: ArtifactFormat.maximumManifestEntries, bytes: ArtifactFormat.maximumManifestBytes)
            guard let parsed = try JSONValue.parse(bytes, limits: limits).objectValue else {
                throw ArtifactError.malformedManifest("it is not an object")
            }
            object = parsed
            guard try object.requiredInt("format") == Int(Self.format) else {
                throw ArtifactError.malformedManifest("its format is not known to this version")
            }
            scope = try ArtifactScope(
                account: object.requiredString("account"), resource: object.requiredString("resource"),
                incarnation: object.requiredString("incarnation"))
            chunks = try object.requiredArray("chunks", count: 0...ArtifactFormat.maximumChunks).map(ChunkPin.init(json:))
            sections = try object.requiredObject("sections")
        } catch let error as JSONError {
            throw ArtifactError.malformedManifest(error.message)
        } catch let error as AWSError {
            throw ArtifactError.malformedManifest(error.message)
        }
        guard chunks.allSatisfy({ scope.owns($0.context) }) else {
            throw ArtifactError.malformedManifest("a chunk belongs to another artifact")
        }
    }
}
