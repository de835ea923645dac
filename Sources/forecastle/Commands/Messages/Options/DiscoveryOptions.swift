import AWSProtocol
import ArgumentParser
import EnvelopeKMS

/// Opening with whichever KMS key a message names.
struct DiscoveryOptions: ParsableArguments {
    @Flag(
        name: .customLong("kms-discovery"),
        help: "Ask KMS with whichever key the message names, where no --kms-key is given. Any account's, unless --kms-account.")
    var isOn = false

    @Option(
        name: .customLong("kms-account"),
        help: ArgumentHelp("Account whose keys may be asked. Repeatable.", valueName: "id"))
    var accounts: [String] = []

    @Option(name: .customLong("kms-partition"), help: "Partition whose keys may be asked. (default: aws)")
    var partition: String?

    static let standardPartition = "aws"
    private static let accountDigits = 12

    func validate() throws {
        if !isOn {
            if !accounts.isEmpty { throw ValidationError("--kms-account goes with --kms-discovery.") }
            if partition != nil { throw ValidationError("--kms-partition goes with --kms-discovery.") }
        }
        for account in accounts
        where account.utf8.count != Self.accountDigits || ByteCount.digits(account) == nil {
            throw ValidationError("--kms-account takes an account id of 12 digits, not '\(account)'.")
        }
    }

    /// Asks the clients of the environment; a key's region is the message's word, and `KMSAccess` looks at it.
    func provider() throws -> KMSDiscoveryProvider {
        let kms = try KMSAccess()
        return KMSDiscoveryProvider(
            partition: partition ?? Self.standardPartition, accounts: accounts.isEmpty ? nil : Set(accounts)
        ) { try kms.client(partition: $0.partition, region: $0.region) }
    }
}
