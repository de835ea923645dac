import ArgumentParser

/// `forecastle audit`: the audit trail for whoever answers for it, straight from the authority's database.
struct Audit: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Verify, export and follow the audit trail.",
        discussion: "Needs the authority's database; customers look their events up with aws cloudtrail lookup-events.",
        subcommands: [AuditVerify.self, AuditExportFiles.self, AuditTail.self, AuditWindow.self, AuditAccept.self])
}
