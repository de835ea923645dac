import ArgumentParser

/// `forecastle admin`: accounts, users, access keys, roles, policies and the vault, straight in the authority's database.
///
/// For people who operate the authority: it needs the database and the vault, and asks nobody's permission. Every change is in the trail.
/// Certificates are files and need neither.
struct Admin: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Look after accounts, users, access keys, roles, policies, certificates and the vault of the authority.",
        subcommands: [
            AdminAccount.self, AdminUser.self, AdminAccessKey.self, AdminRole.self, AdminPolicy.self, AdminExplain.self,
            AdminExternalID.self, AdminBootstrap.self, AdminCertificates.self, AdminVault.self, AdminRotateRootKey.self,
            AdminRestore.self,
        ])
}
