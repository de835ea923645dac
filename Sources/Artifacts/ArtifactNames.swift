import AWSProtocol
import Crypto
package import ObjectStore

/// Names of an artifact's objects: `artifacts/<resource>/<incarnation>/<task>/<fence>/<ordinal>`, each written once.
package enum ArtifactNames {
    /// The name of a chunk. Throws `ObjectStoreError.invalidName` where a part is no segment of a name.
    package static func chunk(
        _ scope: ArtifactScope, _ attempt: ArtifactAttempt, ordinal: Int
    ) throws(ObjectStoreError) -> ObjectKey {
        try ObjectKey(folder(scope, attempt) + String(ordinal))
    }

    package static func manifest(
        _ scope: ArtifactScope, _ attempt: ArtifactAttempt
    ) throws(ObjectStoreError) -> ObjectKey {
        try ObjectKey(folder(scope, attempt) + "manifest")
    }

    /// What the collector goes through: all objects of one life of a resource.
    package static func prefix(_ scope: ArtifactScope) -> String {
        "artifacts/\(segment(scope.resource))/\(segment(scope.incarnation))/"
    }

    /// All objects of one attempt.
    package static func folder(_ scope: ArtifactScope, _ attempt: ArtifactAttempt) -> String {
        prefix(scope) + "\(segment(attempt.task))/\(attempt.fence)/"
    }

    /// Longest part that is taken as it is; the store allows 255 bytes.
    private static let maximumPlainBytes = 180

    /// One segment for people to read. What tells two apart is the incarnation; a text that had to be changed gets some of
    /// its hash as well.
    private static func segment(_ text: String) -> String {
        var plain = ""
        var changed = text.utf8.count > maximumPlainBytes || text == "." || text == ".."
        for byte in text.utf8.prefix(maximumPlainBytes) {
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."),
                UInt8(ascii: ":"):
                plain.unicodeScalars.append(Unicode.Scalar(byte))
            case UInt8(ascii: "/"):
                // As in the resource of an ARN.
                plain += "~"
            default:
                plain += "_"
                changed = true
            }
        }
        guard changed else { return plain }
        return plain + "~" + Hex.encode(SHA256.hash(data: Array(text.utf8)).prefix(8))
    }
}
