/// A job to be accepted: its specification and the signature under it.
package struct JobSubmission: Sendable {
    package let specification: JobSpecification
    package let signature: [UInt8]

    package init(specification: JobSpecification, signature: [UInt8]) {
        self.specification = specification
        self.signature = signature
    }

    package init(_ specification: JobSpecification, signedBy signer: SpecificationSigner) throws {
        self.init(specification: specification, signature: try signer.sign(specification))
    }

    package var id: JobID { specification.job }
}
