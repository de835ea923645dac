import Accounts
import AuthorityAPI
import Foundation
import Keys
import Postgres

/// What a new installation begins with, where it is missing: root key and vault, accounts, principals, roles and keys, and the files
/// with credentials and signing keys. Repeating it changes nothing but files that were lost.
struct Bootstrap {
    /// Principals by the name of their credentials file.
    private static let files = [
        ServiceIdentity.apiUser: "api", ServiceIdentity.workerUser: "worker", ServiceIdentity.operatorUser: "operator",
        AuthorityBootstrap.administrator: "admin",
    ]

    /// Credentials go to its folder `credentials`, files of mode 0600.
    let folder: DataFolder
    let values: ConfigurationValues

    func run(customer: String) async throws {
        let process = RoleProcess(name: "bootstrap", values: values)
        let pool = try process.pool("authority.postgres", connections: 4)
        defer { pool.close() }
        let core = try await AuthorityCore.open(process, pool: pool, createRootKey: true)
        let lost = Self.files.filter { !FileManager.default.fileExists(atPath: folder.credentials(of: $0.value)) }
        let result = try await AuthorityBootstrap(accounts: core.accounts, identity: core.identity) { account in
            try await core.keys.ensureDefaultKey(of: account)
        }.run(customer: customer, replacingKeysOf: Set(lost.keys))
        for made in result.credentials {
            guard let name = Self.files[made.user] else { continue }
            let file = CredentialsFile(path: folder.credentials(of: name))
            file.remove()
            try file.create()
            try file.write(accessKeyID: made.key.accessKeyID, secret: made.key.secretAccessKey)
        }
        for name in ["specification", "audit"] {
            try KeyFiles.ensure(
                privateKey: "\(folder.credentials)/\(name).key", publicKey: "\(folder.credentials)/\(name).pub", in: folder)
        }
        try await core.security.note()
    }
}
