package import FoundationEssentials

/// What was accepted, as it is signed by the API and verified by every worker before it assumes a role.
///
/// Paths, keys and roles of a job come from `document` and from nowhere else: rows of PostgreSQL can be edited,
/// these bytes cannot without the signature failing.
package struct JobSpecification: Sendable, Hashable {
    package let job: JobID
    package let kind: JobKind
    /// The version of `document`; a worker leaves those alone that are newer than its handler.
    package let version: Int
    /// The customer's account, 12 digits.
    package let account: String
    package let resourceARN: String
    package let incarnation: UUID
    /// Source address and user agent of the request that made the job; calls with the role's session carry them.
    package let sourceAddress: String
    package let userAgent: String
    /// JSON, at most 256 KiB, as the handler's kind defines it.
    package let document: [UInt8]

    package init(
        job: JobID, kind: JobKind, version: Int = 1, account: String, resourceARN: String, incarnation: UUID,
        sourceAddress: String, userAgent: String, document: [UInt8]
    ) {
        self.job = job
        self.kind = kind
        self.version = version
        self.account = account
        self.resourceARN = resourceARN
        self.incarnation = incarnation
        // Both come from a request as they are; the tables bound them.
        self.sourceAddress = sourceAddress.bounded(scalars: Self.sourceAddressCharactersMax)
        self.userAgent = userAgent.bounded(scalars: Self.userAgentCharactersMax)
        self.document = document
    }

    package static let documentBytesMax = 262_144
    package static let sourceAddressCharactersMax = 256
    package static let userAgentCharactersMax = 1024

    /// The bytes under the signature: the label, then each field behind its length (8 bytes, big endian), so that
    /// no two specifications share them.
    package var signedBytes: [UInt8] {
        var bytes: [UInt8] = []
        let fields: [[UInt8]] = [
            Array(job.description.utf8), Array(kind.rawValue.utf8), Array(String(version).utf8), Array(account.utf8),
            Array(resourceARN.utf8), Array(incarnation.uuidString.lowercased().utf8), Array(sourceAddress.utf8),
            Array(userAgent.utf8), document,
        ]
        bytes.append(contentsOf: "forecastle job specification 1\n".utf8)
        for field in fields {
            withUnsafeBytes(of: UInt64(field.count).bigEndian) { bytes.append(contentsOf: $0) }
            bytes.append(contentsOf: field)
        }
        return bytes
    }
}
