package import FoundationEssentials
import ObjectStore

/// Under which key an artifact lies and through which role that key is reached.
package struct ArtifactKey: Codable, Sendable, Hashable {
    /// ARN of the resource whose artifact this is.
    package var resource: String
    package var incarnation: UUID
    package var keyARN: String
    /// The customer's role; nil where `keyARN` is the account's default key, which the service reaches by itself.
    package var roleARN: String?

    package init(resource: String, incarnation: UUID, keyARN: String, roleARN: String?) {
        self.resource = resource
        self.incarnation = incarnation
        self.keyARN = keyARN
        self.roleARN = roleARN
    }
}

/// An artifact that exists: what a job reads.
package struct ArtifactInput: Codable, Sendable, Hashable {
    package var key: ArtifactKey
    package var manifestObject: String
    /// SHA-256 of the manifest's message, 64 hexadecimal digits.
    package var manifestDigest: String
    package var manifestGeneration: Int64

    package init(key: ArtifactKey, manifestObject: String, manifestDigest: String, manifestGeneration: Int64) {
        self.key = key
        self.manifestObject = manifestObject
        self.manifestDigest = manifestDigest
        self.manifestGeneration = manifestGeneration
    }
}

/// A place in a customer's bucket and the role that may use it.
package struct BucketLocation: Codable, Sendable, Hashable {
    /// `s3://bucket/key`, `s3://bucket/prefix/` or `s3://bucket`.
    package var path: String
    package var roleARN: String
    /// The customer's key for what is written there; nil for plain files.
    package var keyARN: String?

    package init(path: String, roleARN: String, keyARN: String?) {
        self.path = path
        self.roleARN = roleARN
        self.keyARN = keyARN
    }

    /// A path that can be none: no bucket can be called so, or no object can lie there.
    package struct PathProblem: Error {
        package let message: String
    }

    /// Bucket and key (or prefix), cut as the worker cuts it: by bytes.
    package func parts() throws(PathProblem) -> (bucket: String, key: String) {
        do {
            let url = try S3URL(path)
            return (url.bucket.name, url.prefix.text)
        } catch {
            throw PathProblem(message: error.message)
        }
    }
}
