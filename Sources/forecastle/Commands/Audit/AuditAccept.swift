import ArgumentParser
import AuditTrail

/// `forecastle audit accept-loss`
struct AuditAccept: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "accept-loss",
        abstract: "Go on from the trail as it is now, after an older database was put in place on purpose.",
        discussion: "Writes a signed line to the exported heads. Verification is right again from then on, and tells for ever "
            + "what was given up. Needs the signing key.")

    @OptionGroup var options: AuditOptions

    @Flag(help: "Yes, records are lost and nobody will get them back.")
    var yes = false

    func validate() throws {
        guard yes else { throw ValidationError("Look at forecastle audit verify first, then say --yes.") }
    }

    func run() async throws {
        try await options.run { values, pool in
            let signer = try KeyFiles.headSigner(at: try values.required("audit.signing_key_file"))
            let shards = try await HeadsExporter.accept(
                pool: pool, directory: try values.required("audit.heads_directory"), signer: signer)
            print(options.json ? #"{"shards":\#(shards)}"# : "\(shards) shards stand as they are now")
        }
    }
}
