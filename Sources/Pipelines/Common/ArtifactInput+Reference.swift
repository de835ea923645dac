import AWSProtocol
import Artifacts
import Jobs

extension ArtifactInput {
    /// What the signed document says of the manifest.
    var reference: ManifestReference {
        get throws {
            guard let digest = Hex.decode(manifestDigest), digest.count == 32 else {
                throw JobError.final("The job's document names no digest of \(key.resource).")
            }
            return ManifestReference(
                objectName: manifestObject, digest: digest, generation: manifestGeneration, keyARN: key.keyARN)
        }
    }
}
