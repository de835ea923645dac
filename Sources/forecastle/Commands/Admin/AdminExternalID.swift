import AWSProtocol
import ArgumentParser
import Logging
import Pipelines
import Postgres

/// `forecastle admin external-id ACCOUNT`: the ExternalId for the trust policies of a customer's roles at AWS.
struct AdminExternalID: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "external-id", abstract: "Show the ExternalId of an account, for the trust policies of its roles at AWS.",
        discussion: "Made at the first call, the same ever after. Needs the jobs database only.")

    @OptionGroup var options: AdminOptions
    @Argument(help: "Account id, 12 digits.") var account: String

    func validate() throws {
        guard ARN.isAccountID(account) else { throw ValidationError("The account must have 12 digits.") }
    }

    func run() async throws {
        let values = try options.configuration.load()
        let pool = PostgresPool(
            configuration: try values.postgres("jobs.postgres", applicationName: "forecastle admin"),
            logger: Logger(label: "admin") { _ in SwiftLogNoOpLogHandler() })
        defer { pool.close() }
        try await Migrations(directory: try MigrationsFolder.find(values), set: .jobs).verify(on: pool)
        let id = try await ExternalIDs(pool: pool).externalID(of: account)
        guard options.json else {
            print(id)
            return
        }
        let object: JSONObject = ["Account": .string(account), "ExternalId": .string(id)]
        print(object.serializedString)
    }
}
