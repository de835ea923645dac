import ArgumentParser
import Foundation
import Glibc
import Postgres

/// `forecastle admin bootstrap`
struct AdminBootstrap: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bootstrap",
        abstract: "Make what a new installation begins with, where it is missing.",
        discussion: """
            Root key and vault where the settings say, the service's own principals, the first customer's account with an \
            administrator, default keys; and in DIR/credentials the access keys and signing keys of the processes. Migrate the \
            authority's database first. Repeating it is harmless: what is there stays, access keys whose file was lost are made anew.
            """)
    @OptionGroup var options: ConfigurationOptions

    @Option(help: ArgumentHelp("Folder of mode 0700 for the files; each process is given only its own.", valueName: "dir"))
    var directory: String

    @Option(help: "Account of the first customer, 12 digits.")
    var customer = EmbeddedCluster.customer

    func validate() throws {
        guard customer.utf8.count == 12, customer.utf8.allSatisfy({ (48...57).contains($0) }) else {
            throw ValidationError("--customer must be 12 digits")
        }
    }

    func run() async throws {
        let values = try options.load()
        LoggingSetup.start(values)
        let folder = DataFolder(directory)
        try FileManager.default.createDirectory(atPath: folder.credentials, withIntermediateDirectories: true)
        chmod(folder.credentials, 0o700)
        let pool = try RoleProcess(name: "bootstrap", values: values).pool("authority.postgres", connections: 2)
        defer { pool.close() }
        try await RoleProcess(name: "bootstrap", values: values).verify(.authority, on: pool)
        try await Bootstrap(folder: folder, values: values).run(customer: customer)
        print("credentials and keys are in \(folder.credentials)")
    }
}
