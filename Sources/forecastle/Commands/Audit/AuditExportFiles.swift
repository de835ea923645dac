import AWSProtocol
import ArgumentParser
import AuditTrail
import Foundation
import Postgres

/// `forecastle audit export`
struct AuditExportFiles: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export", abstract: "Write events to files as CloudTrail writes them.",
        discussion: "PREFIX/AWSLogs/ACCOUNT/CloudTrail/REGION/YYYY/MM/DD/ACCOUNT_CloudTrail_REGION_YYYYMMDDTHHmmZ_….json.gz, "
            + "each {\"Records\":[…]}. The same events give the same names: an export that was cut off is run again.")
    private static let recordsPerRead = 1000

    @OptionGroup var options: AuditOptions

    @Option(help: ArgumentHelp("Folder to write to; made where it is missing.", valueName: "dir"))
    var output: String

    @Option(help: "Folders before AWSLogs, as a trail's S3 key prefix.")
    var prefix = ""

    @Option(help: "First time of events, inclusive: 2026-11-23 or 2026-11-23T13:28:26Z.")
    var from: InstantArgument?

    @Option(help: "Last time of events, exclusive.")
    var to: InstantArgument?

    @Option(help: "Only this account; may be given several times. All accounts where not given.")
    var account: [String] = []

    func validate() throws {
        if let from, let to, from.date >= to.date { throw ValidationError("--from must lie before --to.") }
        guard !prefix.split(separator: "/").contains("..") else {
            throw ValidationError("--prefix must not lead out of --output.")
        }
        guard account.allSatisfy(ARN.isAccountID) else { throw ValidationError("--account takes the 12 digits of an account.") }
        var isFolder: ObjCBool = false
        guard !FileManager.default.fileExists(atPath: output, isDirectory: &isFolder) || isFolder.boolValue else {
            throw ValidationError("--output is a folder; \(output) is a file.")
        }
    }

    func run() async throws {
        try await options.run { _, pool in
            let folder = [output, prefix].filter { !$0.isEmpty }.joined(separator: "/")
            let accounts = account.isEmpty ? try await AuditTrail.accounts(pool: pool) : account
            var files = 0
            var records = 0
            for account in accounts {
                var writer = LogFileWriter(folder: folder, account: account)
                var last: StoredRecord?
                repeat {
                    let page = try await AuditTrail.records(
                        of: account, from: from?.date ?? .distantPast, to: to?.date ?? Date(), after: last,
                        limit: Self.recordsPerRead, pool: pool)
                    for record in page {
                        guard let entry = TrailEntry(record) else {
                            throw CommandFailure(
                                "A record of account \(account) is not JSON; see forecastle audit verify.", AuditExit.altered)
                        }
                        try writer.add(entry)
                    }
                    records += page.count
                    last = page.last
                } while last != nil
                try writer.finish()
                files += writer.files
            }
            print(
                options.json
                    ? #"{"accounts":\#(accounts.count),"files":\#(files),"records":\#(records)}"#
                    : "\(Amount.count(records, "record")) in \(Amount.count(files, "file"))")
        }
    }
}
