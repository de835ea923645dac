package import Envelope
package import EnvelopeKMS

/// The right to one artifact under one grant: its scope, its key, where data keys come from, and the key lease under which
/// they are held.
package struct ArtifactAccess: Sendable {
    package let scope: ArtifactScope
    package let keyARN: String
    package let lease: KeyLease
    package let provider: any DataKeyProvider

    /// `kms` acts as the grantee; `roleARN` gave the grant and is for messages. The lease is renewed by `keeper` from the
    /// first data key on.
    package init(
        scope: ArtifactScope, keyARN: String, roleARN: String? = nil, kms: any KMSDataKeys, grantTokens: [String] = [],
        keeper: KeyLeaseKeeper
    ) {
        self.scope = scope
        self.keyARN = keyARN
        let probe = KMSKeyLeaseProbe(kms: kms, grantTokens: grantTokens)
        lease = keeper.lease(resource: scope.resource, keyARN: keyARN, roleARN: roleARN, probe: probe)
        provider = LeasedDataKeyProvider(
            KMSDataKeyProvider(kms: kms, keyARN: keyARN, grantTokens: grantTokens), keyARN: keyARN, lease: lease)
    }

    /// Ends the use: every data key and cipher under the lease is wiped.
    package func release() { lease.release() }
}
