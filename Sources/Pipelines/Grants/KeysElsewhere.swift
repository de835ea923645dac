package import AWSClients

/// The server of customers' keys and roles, where that is not the authority: AWS's KMS and STS, or what speaks like them.
///
/// Nothing of the authority's own is relied on there: no headers that say for whom the service acts, no kms:ViaService, no
/// announcements. What keeps one customer from naming the role of another is the ExternalId.
package struct KeysElsewhere: Sendable {
    package var kmsEndpoint: String
    package var stsEndpoint: String
    /// Who the service is there.
    package var principals: ServicePrincipals
    /// The process's own access key there: it assumes customers' roles and the service's.
    package var process: any AWSCredentialsProvider
    /// What is named when a role of this customer's (an account of the authority) is assumed.
    package var externalID: @Sendable (_ account: String) async throws -> String

    package init(
        kmsEndpoint: String, stsEndpoint: String, principals: ServicePrincipals, process: any AWSCredentialsProvider,
        externalID: @escaping @Sendable (_ account: String) async throws -> String
    ) {
        self.kmsEndpoint = kmsEndpoint
        self.stsEndpoint = stsEndpoint
        self.principals = principals
        self.process = process
        self.externalID = externalID
    }
}

/// Where a key lies, with the grants on it.
package enum KeyPlace: String, Sendable, Hashable {
    case authority, elsewhere
}
